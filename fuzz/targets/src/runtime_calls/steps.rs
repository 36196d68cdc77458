// SPDX-License-Identifier: Apache-2.0
//! From bytes to steps: any call at all, and those whose arguments must fit what was said before.
#![allow(clippy::arithmetic_side_effects, reason = "small constants and bytes")]

use clawrank_primitives::{Params, emission::Shortfall, units::Ppb};
use clawrank_runtime::{Runtime, RuntimeCall, SubtensorModule};
use clawrank_timelock::{DevBeacon, WeightsPayload};
use frame_support::BoundedVec;
use pallet_admin_utils::Call as Admin;
use pallet_commitments::{CommitmentInfo, Data};
use pallet_drand::{BeaconConfig, BeaconConfiguration, BeaconConfigurationPayload, Pulse, Pulses, PulsesPayload};
use pallet_provider_rank::{Call as Rank, Epochs, RunningEpoch, Verdict};
use pallet_subtensor::{Call as Subnet, MechId, NetUid, NetUidStorageIndex, SubnetOwner};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use sp_core::H256;
use sp_runtime::PerU16;

use super::{
    PALLETS,
    chain::{ACCOUNTS, SUBNETS, SUDO, account, beacon, coldkey, round_now},
    generate::Bytes,
};

/// What happens next.
pub(super) enum Step {
    /// So many blocks begin.
    Blocks(u8),
    /// An account sends a transaction.
    Signed(u8, Box<RuntimeCall>),
    /// Root makes a call.
    Root(Box<RuntimeCall>),
    /// An author makes a call.
    Bare(Box<RuntimeCall>),
    /// Anyone sends rounds of the beacon.
    Pulses { pulses: Vec<Pulse>, genuine: bool },
}

/// Weights that were committed, so that they can be revealed.
#[derive(Clone, Default)]
struct Committed {
    signer: u8,
    netuid: NetUid,
    mecid: MechId,
    uids: Vec<u16>,
    values: Vec<u16>,
    salt: Vec<u16>,
}

/// Reads steps off bytes.
pub(super) struct Chooser<'a> {
    bytes: Bytes<'a>,
    commits: Vec<Committed>,
}

/// The beacon that the chain follows, if its secret is known.
fn followed() -> Option<&'static DevBeacon> {
    let key = BeaconConfig::<Runtime>::get().public_key;
    [false, true].map(beacon).into_iter().find(|beacon| beacon.public_key().as_slice() == key.as_slice())
}

impl<'a> Chooser<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { bytes: Bytes::new(data), commits: Vec::new() }
    }

    fn byte(&mut self) -> u8 {
        self.bytes.byte()
    }

    /// A hotkey that may have a permit, or now and then another.
    fn validator(&mut self) -> u8 {
        let byte = self.byte();
        if byte < 200 { byte % 3 } else { byte % SUDO }
    }

    fn weights(&mut self) -> (Vec<u16>, Vec<u16>) {
        let count = 1 + self.byte() % 4;
        let first = self.byte() % 5;
        let uids = (0..count).map(|place| u16::from((first + place) % 7)).collect();
        (uids, (0..count).map(|_| self.bytes.word()).collect())
    }

    /// Any call by anyone.
    fn any(&mut self) -> Step {
        let signer = self.bytes.anyone();
        Step::Signed(signer, Box::new(self.bytes.call(&PALLETS, signer)))
    }

    /// A call about a subnet by whoever owns it.
    fn owner(&mut self) -> Step {
        let netuid = self.bytes.netuid();
        let owner = SubnetOwner::<Runtime>::get(netuid);
        let signer = (0..=SUDO).find(|number| account(*number) == owner).unwrap_or(coldkey(0));
        self.bytes.on = Some(netuid);
        let call = match self.byte() % 8 {
            0 => Subnet::start_call { netuid }.into(),
            1 => Subnet::set_tempo { netuid, tempo: 360 + self.bytes.word() % 40 }.into(),
            2 | 3 => self.bytes.call(&["SubtensorModule", "ProviderRank"], signer),
            4 => Rank::set_params { netuid, params: self.params() }.into(),
            _ => self.bytes.call(&["AdminUtils"], signer),
        };
        self.bytes.on = None;
        Step::Signed(signer, Box::new(call))
    }

    /// A preset, often with one number that is another, or makes no sense.
    fn params(&mut self) -> Params {
        let mut params = match self.byte() % 3 {
            0 => Params::clawrank(),
            1 => Params::local(),
            _ => Params::tensorclaw_v1(),
        };
        match self.byte() % 4 {
            0 => params.cap.cap = Ppb::from_percent(self.byte().into()),
            1 => {
                params.cap.shortfall = if self.byte().is_multiple_of(2) { Shortfall::ToOwner } else { Shortfall::Skip }
            }
            2 => params.gate.k_min = self.bytes.word().into(),
            _ => {}
        }
        params
    }

    fn plain(&mut self) -> Step {
        let signer = self.validator();
        let (dests, weights) = self.weights();
        let (netuid, version_key) = (SUBNETS[1], 0);
        let row = dests.iter().zip(&weights).map(|(uid, value)| ((*uid).into(), (*value).into())).collect();
        let call = match self.byte() % 3 {
            0 => Subnet::set_weights { netuid, dests, weights, version_key },
            1 => Subnet::set_mechanism_weights { netuid, mecid: MechId(self.byte() % 2), dests, weights, version_key },
            _ => Subnet::batch_set_weights {
                netuids: vec![netuid.into()],
                weights: vec![row],
                version_keys: vec![version_key.into()],
            },
        };
        Step::Signed(signer, Box::new(call.into()))
    }

    /// Any call of one pallet by who may rather make it.
    fn likely(&mut self, kind: u8) -> Step {
        let number = self.byte() % ACCOUNTS;
        match kind % 12 {
            0 | 1 | 8 => self.owner(),
            2..=4 => Step::Root(Box::new(self.bytes.call(&["AdminUtils"], SUDO))),
            5 => Step::Signed(number, Box::new(self.bytes.call(&["SubtensorModule"], number))),
            6 | 7 => Step::Signed(coldkey(number), Box::new(self.bytes.call(&["SubtensorModule"], coldkey(number)))),
            9 => Step::Root(Box::new(self.bytes.call(&["Balances", "Drand", "Commitments", "ProviderRank"], SUDO))),
            10 => Step::Signed(coldkey(number), Box::new(self.bytes.call(&["Balances"], coldkey(number)))),
            _ => {
                let root = super::chain::sudo();
                Step::Signed(root, Box::new(self.bytes.call(&["Sudo"], root)))
            }
        }
    }

    fn commit(&mut self) -> Step {
        let (signer, netuid, mecid) = (self.validator(), self.bytes.netuid(), MechId(self.byte() % 2));
        let (uids, values) = self.weights();
        let new = Committed { signer, netuid, mecid, uids, values, salt: vec![7; usize::from(self.byte() % 3)] };
        let index = NetUidStorageIndex::new(netuid, mecid);
        let who = account(signer);
        let commit_hash = SubtensorModule::commit_hash(&who, index, &new.uids, &new.values, &new.salt, 0);
        self.commits.push(new);
        let call = match self.byte() % 3 {
            0 if mecid == MechId::MAIN => Subnet::commit_weights { netuid, commit_hash },
            1 if mecid == MechId::MAIN => {
                Subnet::batch_commit_weights { netuids: vec![netuid.into()], commit_hashes: vec![commit_hash] }
            }
            _ => Subnet::commit_mechanism_weights { netuid, mecid, commit_hash },
        };
        Step::Signed(signer, Box::new(call.into()))
    }

    /// Reveals the newest commit, or now and then another.
    fn reveal(&mut self) -> Step {
        let place = usize::from(self.byte());
        let last = self.commits.len().wrapping_sub(1);
        let place = if place < 160 { last } else { place.checked_rem(self.commits.len()).unwrap_or_default() };
        let Committed { signer, netuid, mecid, uids, values, salt } =
            self.commits.get(place).cloned().unwrap_or_default();
        let version_key = 0;
        let call = match self.byte() % 3 {
            0 if mecid == MechId::MAIN => Subnet::reveal_weights { netuid, uids, values, salt, version_key },
            1 if mecid == MechId::MAIN => Subnet::batch_reveal_weights {
                netuid,
                uids_list: vec![uids],
                values_list: vec![values],
                salts_list: vec![salt],
                version_keys: vec![version_key],
            },
            _ => Subnet::reveal_mechanism_weights { netuid, mecid, uids, values, salt, version_key },
        };
        Step::Signed(signer, Box::new(call.into()))
    }

    /// Bytes that a round to come opens, under whichever beacon.
    fn locked(&mut self, plaintext: &[u8]) -> (Vec<u8>, u64) {
        let (ahead, kind) = (u64::from(self.byte() % 8), self.byte());
        let round = round_now() + ahead;
        let key = beacon(kind > 220).public_key();
        let mut rng = ChaCha8Rng::seed_from_u64(round);
        let said = if kind == 219 { round + 1 } else { round };
        (clawrank_timelock::encrypt(&key, round, plaintext, &mut rng).unwrap_or_default(), said)
    }

    fn timelocked(&mut self) -> Step {
        let (signer, netuid, mecid) = (self.validator(), self.bytes.netuid(), MechId(self.byte() % 2));
        let (uids, values) = self.weights();
        let payload = WeightsPayload { hotkey: account(signer).into(), uids, values, version_key: 0 };
        let (commit, reveal_round) = self.locked(&payload.encode());
        let commit = BoundedVec::truncate_from(commit);
        let commit_reveal_version = 4;
        let call = match self.byte() % 3 {
            0 => Subnet::commit_timelocked_weights { netuid, commit, reveal_round, commit_reveal_version },
            1 => Subnet::commit_crv3_mechanism_weights { netuid, mecid, commit, reveal_round },
            _ => Subnet::commit_timelocked_mechanism_weights {
                netuid,
                mecid,
                commit,
                reveal_round,
                commit_reveal_version,
            },
        };
        Step::Signed(signer, Box::new(call.into()))
    }

    /// Rounds of the beacon, mostly those that are missing; wrong ones too.
    fn pulses(&mut self) -> Step {
        let (kind, count) = (self.byte(), u64::from(1 + self.byte() % 3));
        let now = round_now();
        let first = match kind % 8 {
            0 => now + 40,
            1 => now.saturating_sub(u64::from(self.byte() % 16)),
            _ => (1..=now).rev().find(|round| !Pulses::<Runtime>::contains_key(round)).unwrap_or(now),
        };
        let other = kind > 200;
        let signer = followed().unwrap_or_else(|| beacon(false));
        let signer = if other { beacon(signer.public_key() == beacon(false).public_key()) } else { signer };
        let forged = kind > 180 && !other;
        let pulse = |round| {
            let mut signature = signer.sign(round);
            if forged {
                signature = signer.sign(round + 1);
            }
            Pulse::new(round, &signature)
        };
        let pulses = (first..first + count).map(pulse).collect();
        Step::Pulses { pulses, genuine: !other && !forged && followed().is_some() }
    }

    fn commitment(&mut self) -> Step {
        let (signer, netuid) = (self.byte() % ACCOUNTS, self.bytes.netuid());
        let mut fields = Vec::new();
        for _ in 0..self.byte() % 3 + 1 {
            let kind = self.byte();
            fields.push(match kind % 6 {
                0 => Data::ResetBondsFlag,
                1 => Data::BigRaw(BoundedVec::truncate_from(vec![kind; 300])),
                2 | 3 => {
                    let (bytes, reveal_round) = self.locked(&[kind; 20]);
                    Data::TimelockEncrypted { encrypted: BoundedVec::truncate_from(bytes), reveal_round }
                }
                4 => Data::TimelockEncrypted {
                    encrypted: BoundedVec::truncate_from(vec![kind; 50]),
                    reveal_round: round_now(),
                },
                _ => Data::Raw(BoundedVec::truncate_from(vec![kind; usize::from(kind)])),
            });
        }
        let info = Box::new(CommitmentInfo { fields: BoundedVec::truncate_from(fields) });
        Step::Signed(signer, Box::new(pallet_commitments::Call::set_commitment { netuid, info }.into()))
    }

    fn bundle(&mut self) -> Step {
        let (signer, netuid, byte) = (self.byte() % ACCOUNTS, self.bytes.netuid(), self.byte());
        let running = RunningEpoch::<Runtime>::get(netuid).unwrap_or_default();
        let epoch = if byte > 230 { running + 1 } else { running };
        let call = pallet_provider_rank::Call::commit_bundle {
            netuid,
            epoch,
            root: H256::repeat_byte(byte),
            count: u32::from(byte) * 300,
        };
        Step::Signed(signer, Box::new(call.into()))
    }

    /// Verdicts on the oldest epoch that takes some.
    fn verdicts(&mut self) -> Step {
        let (signer, netuid) = (self.validator(), self.bytes.netuid());
        let mut open: Vec<u64> = Epochs::<Runtime>::iter_prefix(netuid)
            .filter(|(_, state)| state.seed.is_some() && !state.settled)
            .map(|(epoch, _)| epoch)
            .collect();
        open.sort_unstable();
        let count = self.byte() % 8;
        let mut verdicts: Vec<Verdict> = (0..count)
            .map(|uid| {
                let kind = self.byte();
                let score = if kind == 255 { u128::MAX } else { u128::from(kind) * 1_000_000 };
                Verdict { uid: uid.into(), tripped: kind.is_multiple_of(7), reason: kind % 9, score }
            })
            .collect();
        if self.byte() == 255 {
            verdicts.reverse();
        }
        let call = pallet_provider_rank::Call::submit_verdicts {
            netuid,
            epoch: open.first().copied().unwrap_or_default(),
            verdicts: BoundedVec::truncate_from(verdicts),
        };
        Step::Signed(signer, Box::new(call.into()))
    }

    fn shield(&mut self) -> Step {
        let kind = self.byte();
        if kind < 128 {
            let len = if kind > 120 { usize::from(kind) } else { clawrank_shield::PUBLIC_KEY_BYTES };
            let enc_key = (kind > 8).then(|| BoundedVec::truncate_from(vec![kind; len]));
            return Step::Bare(Box::new(pallet_shield::Call::announce_next_key { enc_key }.into()));
        }
        let signer = self.bytes.anyone();
        let plaintext = vec![kind; usize::from(self.byte()) * 4];
        let sealed = clawrank_shield::seal(crate::shield_key().public_key(), &plaintext, &[kind; 56]);
        let bytes = if kind > 220 { plaintext } else { sealed.unwrap_or_default() };
        let ciphertext = BoundedVec::truncate_from(bytes);
        Step::Signed(signer, Box::new(pallet_shield::Call::submit_encrypted { ciphertext }.into()))
    }

    /// The chain follows another beacon, or another clock of the same.
    fn beacon(&mut self) -> Step {
        let kind = self.byte();
        let mut config = BeaconConfig::<Runtime>::get();
        if kind > 160 {
            config = BeaconConfiguration::local(&clawrank_timelock::BeaconParams {
                public_key: beacon(kind > 200).public_key(),
                genesis_time: u64::from(config.genesis_time),
                period: 12,
            });
        }
        let PulsesPayload { public, .. } = PulsesPayload::new(0_u32, Vec::new());
        let config_payload = BeaconConfigurationPayload { block_number: 0, config, public };
        let call = pallet_drand::Call::set_beacon_config { config_payload, signature: None };
        Step::Root(Box::new(call.into()))
    }

    /// A division that is whole, which no numbers at random are.
    fn split(&mut self) -> Step {
        let (netuid, part, count) = (self.bytes.netuid(), self.bytes.word(), self.byte());
        let maybe_split = (count > 40).then(|| vec![part, u16::MAX - part]);
        let call = RuntimeCall::AdminUtils(Admin::sudo_set_mechanism_emission_split { netuid, maybe_split });
        if count.is_multiple_of(2) { Step::Root(Box::new(call)) } else { Step::Signed(coldkey(0), Box::new(call)) }
    }

    /// How many neurons a subnet holds: bounds that only change in order.
    fn size(&mut self) -> Step {
        let (netuid, kind, small) = (self.bytes.netuid(), self.byte(), u16::from(self.byte()));
        Step::Root(Box::new(RuntimeCall::AdminUtils(match kind % 3 {
            0 => Admin::sudo_set_min_allowed_uids { netuid, min_allowed_uids: small % 4 },
            1 => Admin::sudo_trim_to_max_allowed_uids { netuid, max_n: 2 + small % 8 },
            _ => Admin::sudo_set_max_allowed_uids { netuid, max_allowed_uids: 6 + small % 80 },
        })))
    }

    /// What a coldkey takes of its hotkey's dividends, which falls at once and rises every so often.
    fn take(&mut self) -> Step {
        let (number, kind) = (self.byte() % 3, self.byte());
        let (hotkey, take) = (account(number), PerU16::from_parts(u16::from(kind) * 46));
        let call = if kind.is_multiple_of(2) {
            Subnet::decrease_take { hotkey, take }
        } else {
            Subnet::increase_take { hotkey, take }
        };
        Step::Signed(coldkey(number), Box::new(call.into()))
    }

    /// The next step; `None` when the bytes are used up.
    pub(super) fn step(&mut self) -> Option<Step> {
        if self.bytes.is_empty() {
            return None;
        }
        let (family, kind) = (self.byte(), self.byte());
        Some(match family % 32 {
            0..=3 => Step::Blocks(kind % 8 + 1),
            4 if kind > 128 => Step::Blocks(kind % 64),
            4 | 5 => self.any(),
            6..=13 => self.likely(kind),
            14 => self.plain(),
            15 | 16 => self.commit(),
            17 | 18 => self.reveal(),
            19 => self.timelocked(),
            20 | 21 => self.pulses(),
            22 | 23 => self.commitment(),
            24 | 25 => self.bundle(),
            26..=28 => self.verdicts(),
            29 => self.shield(),
            30 if kind < 128 => self.beacon(),
            30 => self.take(),
            _ if kind < 128 => self.size(),
            _ => self.split(),
        })
    }
}
