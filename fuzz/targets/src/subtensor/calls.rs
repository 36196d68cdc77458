// SPDX-License-Identifier: Apache-2.0
//! From bytes to steps.
#![allow(clippy::arithmetic_side_effects, reason = "small constants and bytes")]

use clawrank_timelock::WeightsPayload;
use codec::Compact;
use frame_support::BoundedVec;
use pallet_subtensor::{
    AlphaBalance, Call, CommitRevealWeightsEnabled, ImmuneOwnerUidsLimit, ImmunityPeriod, List, MaxEpochsPerBlock,
    MechId, MechanismEmissionSplit, MinAllowedWeights, MinNonImmuneUids, NetUid, NetUidStorageIndex,
    RevealPeriodEpochs, StakeThreshold, SubnetIdentityV3, TaoBalance, WeightsSetRateLimit, WeightsVersionKey,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use sp_core::H256;

use super::runtime::{SubtensorModule, TAO, Test, beacon, coldkey, hotkey};

/// What happens next.
pub(super) enum Step {
    /// So many blocks begin.
    Blocks(u8),
    /// The beacon publishes a round.
    Publish(u64),
    /// Root changes something.
    Change(Box<dyn Fn()>),
    /// An account makes a call.
    Call(u8, Box<Call<Test>>),
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

/// Reads steps off bytes; zeros when they are used up.
pub(super) struct Chooser<'a> {
    data: &'a [u8],
    commits: Vec<Committed>,
}

impl<'a> Chooser<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, commits: Vec::new() }
    }

    fn byte(&mut self) -> u8 {
        match self.data.split_first() {
            Some((first, rest)) => {
                self.data = rest;
                *first
            }
            None => 0,
        }
    }

    fn netuid(&mut self) -> NetUid {
        NetUid(match self.byte() {
            0..=127 => 92,
            128..=191 => 2,
            192..=223 => 1,
            224..=239 => 0,
            _ => 7,
        })
    }

    fn mecid(&mut self) -> MechId {
        MechId(self.byte() % 3)
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Zero, an edge, or something in between.
    fn amount(&mut self) -> u64 {
        let byte = self.byte();
        match byte % 8 {
            0 => 0,
            1 => 1,
            2 => 2_000_000,
            3 => u64::MAX,
            4 => 20_000 * TAO,
            _ => u64::from(byte) * TAO / 4,
        }
    }

    fn uids(&mut self) -> Vec<u16> {
        let count = self.byte() % 7;
        (0..count).map(|_| u16::from(self.byte() % 10)).collect()
    }

    fn words(&mut self, count: usize) -> Vec<u16> {
        (0..count).map(|_| self.word()).collect()
    }

    fn weights(&mut self) -> (Vec<u16>, Vec<u16>) {
        let uids = self.uids();
        let count = if self.byte() == 7 { uids.len() + 1 } else { uids.len() };
        let values = self.words(count);
        (uids, values)
    }

    /// A hotkey, or now and then a coldkey.
    fn hot_signer(&mut self) -> u8 {
        self.byte() % 14
    }

    /// The coldkey of a hotkey that is also chosen, or now and then another.
    fn pair(&mut self) -> (u8, sp_core::crypto::AccountId32) {
        let (owner, owned) = (self.byte(), self.byte());
        let number = owner % 12;
        let key = if owned < 240 { number } else { owned };
        (number + 12, hotkey(key))
    }

    fn committed(&mut self) -> Committed {
        let (signer, netuid, mecid) = (self.hot_signer(), self.netuid(), self.mecid());
        let (uids, values) = self.weights();
        Committed { signer, netuid, mecid, uids, values, salt: vec![7; usize::from(self.byte() % 3)] }
    }

    fn remembered(&mut self) -> Committed {
        let place = usize::from(self.byte());
        let found = place.checked_rem(self.commits.len()).and_then(|place| self.commits.get(place)).cloned();
        found.unwrap_or_default()
    }

    fn hash(commit: &Committed) -> H256 {
        let Committed { signer, netuid, mecid, uids, values, salt } = commit;
        let index = NetUidStorageIndex::new(*netuid, *mecid);
        SubtensorModule::commit_hash(&super::runtime::account(*signer), index, uids, values, salt, 0)
    }

    fn timelocked(&mut self) -> Step {
        let (signer, netuid, mecid) = (self.hot_signer(), self.netuid(), self.mecid());
        let round = u64::from(self.byte() % 16);
        let kind = self.byte();
        let bytes = if kind.is_multiple_of(2) {
            let (uids, values) = self.weights();
            let whose = if kind == 2 { self.byte() } else { signer };
            let payload =
                WeightsPayload { hotkey: super::runtime::account(whose).into(), uids, values, version_key: 0 };
            let mut rng = ChaCha8Rng::seed_from_u64(round);
            clawrank_timelock::encrypt(&beacon().public_key(), round, &payload.encode(), &mut rng).unwrap_or_default()
        } else {
            vec![kind; usize::from(self.word() % 6_000)]
        };
        let commit = BoundedVec::truncate_from(bytes);
        let version = if kind > 250 { 3 } else { 4 };
        Step::Call(
            signer,
            Box::new(match kind % 3 {
                0 => Call::commit_timelocked_weights {
                    netuid,
                    commit,
                    reveal_round: round,
                    commit_reveal_version: version,
                },
                1 => Call::commit_crv3_mechanism_weights { netuid, mecid, commit, reveal_round: round },
                _ => Call::commit_timelocked_mechanism_weights {
                    netuid,
                    mecid,
                    commit,
                    reveal_round: round,
                    commit_reveal_version: version,
                },
            }),
        )
    }

    fn change(&mut self) -> Box<dyn Fn()> {
        let (netuid, kind, value) = (NetUid(if self.byte() < 128 { 92 } else { 2 }), self.byte(), self.word());
        let low = value % 8;
        Box::new(move || match kind % 12 {
            0 | 1 => CommitRevealWeightsEnabled::<Test>::insert(netuid, value % 2 == 0),
            2 => RevealPeriodEpochs::<Test>::insert(netuid, u64::from(low % 3 + 1)),
            3 => WeightsSetRateLimit::<Test>::insert(netuid, u64::from(low)),
            4 => MechanismEmissionSplit::<Test>::insert(netuid, List::truncated(vec![value, u16::MAX - value])),
            5 => MechanismEmissionSplit::<Test>::remove(netuid),
            6 => MinNonImmuneUids::<Test>::insert(netuid, low),
            7 => ImmunityPeriod::<Test>::insert(netuid, low),
            8 => StakeThreshold::<Test>::put(u64::from(low) * 20 * TAO),
            9 => ImmuneOwnerUidsLimit::<Test>::insert(netuid, low),
            10 => MaxEpochsPerBlock::<Test>::put(u8::try_from(low % 3 + 1).unwrap_or(1)),
            _ => {
                MinAllowedWeights::<Test>::insert(netuid, low % 4);
                WeightsVersionKey::<Test>::insert(netuid, u64::from(low / 6));
            }
        })
    }

    fn stake(&mut self, kind: u8) -> Step {
        let (signer, hotkey) = self.pair();
        let (netuid, amount, limit, allow_partial) = (self.netuid(), self.amount(), self.byte(), self.byte() < 128);
        let limit_price = TaoBalance(u64::from(limit) * TAO / 128);
        let (tao, alpha) = (TaoBalance(amount), AlphaBalance(amount));
        Step::Call(
            signer,
            Box::new(match kind % 6 {
                0 | 1 => Call::add_stake { hotkey, netuid, amount_staked: tao },
                2 => Call::remove_stake { hotkey, netuid, amount_unstaked: alpha },
                3 => Call::add_stake_limit { hotkey, netuid, amount_staked: tao, limit_price, allow_partial },
                4 => Call::remove_stake_limit { hotkey, netuid, amount_unstaked: alpha, limit_price, allow_partial },
                _ => Call::unstake_all { hotkey },
            }),
        )
    }

    fn registration(&mut self, kind: u8) -> Step {
        let (signer, hotkey) = self.pair();
        let (netuid, limit_price) = (self.netuid(), self.amount());
        let long = self.byte() == 9;
        let identity = SubnetIdentityV3 { subnet_name: vec![1; if long { 300 } else { 3 }], ..Default::default() };
        Step::Call(
            signer,
            Box::new(match kind % 8 {
                0..=2 => Call::burned_register { netuid, hotkey },
                3 => Call::register { netuid, block_number: 0, nonce: 0, work: vec![], coldkey: coldkey(kind), hotkey },
                4 => Call::register_limit { netuid, hotkey, limit_price },
                5 => Call::root_register { hotkey },
                6 => Call::register_network { hotkey },
                _ => Call::register_network_with_identity { hotkey, identity: Some(identity) },
            }),
        )
    }

    fn announcement(&mut self, kind: u8) -> Step {
        let (signer, netuid, version) = (self.hot_signer(), self.netuid(), 1);
        let (ip, port, ip_type) = (u128::from(self.byte()) << 24, u16::from(self.byte()), 4 + self.byte() % 3);
        let certificate = vec![kind; usize::from(self.byte() % 80)];
        let (protocol, placeholder1, placeholder2) = (4, 0, 0);
        Step::Call(
            signer,
            Box::new(match kind % 3 {
                0 => Call::serve_axon { netuid, version, ip, port, ip_type, protocol, placeholder1, placeholder2 },
                1 => Call::serve_axon_tls {
                    netuid,
                    version,
                    ip,
                    port,
                    ip_type,
                    protocol,
                    placeholder1,
                    placeholder2,
                    certificate,
                },
                _ => Call::serve_prometheus { netuid, version, ip, port, ip_type },
            }),
        )
    }

    fn owner(&mut self, kind: u8) -> Step {
        let (signer, netuid, value) = (12 + self.byte() % 2, self.netuid(), self.word());
        Step::Call(
            signer,
            Box::new(match kind % 4 {
                0 => Call::set_tempo { netuid, tempo: value % 12 },
                1 => Call::set_activity_cutoff_factor { netuid, factor_milli: u32::from(value) },
                2 => Call::trigger_epoch { netuid },
                _ => Call::start_call { netuid },
            }),
        )
    }

    fn plain(&mut self, kind: u8) -> Step {
        let Committed { signer, netuid, mecid, uids, values, .. } = self.committed();
        let version_key = u64::from(self.byte() % 3);
        let row = uids.iter().zip(&values).map(|(uid, value)| (Compact(*uid), Compact(*value))).collect();
        let netuids = vec![Compact(netuid), Compact(self.netuid())];
        Step::Call(
            signer,
            Box::new(match kind % 3 {
                0 => Call::set_weights { netuid, dests: uids, weights: values, version_key },
                1 => Call::set_mechanism_weights { netuid, mecid, dests: uids, weights: values, version_key },
                _ => Call::batch_set_weights {
                    netuids,
                    weights: vec![row; 2 - usize::from(version_key == 2)],
                    version_keys: vec![Compact(version_key); 2],
                },
            }),
        )
    }

    fn commit(&mut self, kind: u8) -> Step {
        let mut new = self.committed();
        if kind % 3 != 1 {
            new.mecid = MechId::MAIN;
        }
        let (signer, netuid, mecid, commit_hash) = (new.signer, new.netuid, new.mecid, Self::hash(&new));
        self.commits.push(new);
        let netuids = vec![Compact(netuid), Compact(self.netuid())];
        Step::Call(
            signer,
            Box::new(match kind % 3 {
                0 => Call::commit_weights { netuid, commit_hash },
                1 => Call::commit_mechanism_weights { netuid, mecid, commit_hash },
                _ => Call::batch_commit_weights { netuids, commit_hashes: vec![commit_hash; 2] },
            }),
        )
    }

    fn reveal(&mut self, kind: u8) -> Step {
        let Committed { signer, netuid, mecid, uids, values, salt } = self.remembered();
        let second = self.remembered();
        let version_key = u64::from(self.byte() == 9);
        Step::Call(
            signer,
            Box::new(match kind % 4 {
                0 | 1 => Call::reveal_mechanism_weights { netuid, mecid, uids, values, salt, version_key },
                2 => Call::reveal_weights { netuid, uids, values, salt, version_key },
                _ => Call::batch_reveal_weights {
                    netuid,
                    uids_list: vec![uids, second.uids],
                    values_list: vec![values, second.values],
                    salts_list: vec![salt, second.salt],
                    version_keys: vec![version_key; 2],
                },
            }),
        )
    }

    /// The next step; `None` when the bytes are used up.
    pub(super) fn step(&mut self) -> Option<Step> {
        if self.data.is_empty() {
            return None;
        }
        let (family, kind) = (self.byte(), self.byte());
        Some(match family % 12 {
            0 => Step::Blocks(kind % 8 + 1),
            1 => Step::Publish(u64::from(kind % 16)),
            2 | 3 => self.timelocked(),
            4 => self.plain(kind),
            5 => self.commit(kind),
            6 => self.reveal(kind),
            7 => self.stake(kind),
            8 => self.registration(kind),
            9 => self.announcement(kind),
            10 => self.owner(kind),
            _ => Step::Change(self.change()),
        })
    }
}
