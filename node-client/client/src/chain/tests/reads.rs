// SPDX-License-Identifier: Apache-2.0
//! What a client makes of storage.

use codec::Encode;

use super::*;

#[tokio::test]
async fn snapshot_has_every_neuron_when_the_subnet_is_full() {
    let Some(fake) = FakeChain::new("o") else { return };
    let size = 256u16;
    let of = [Key::from(92u16)];
    fake.put("SubtensorModule.NetworksAdded", &of, &true.encode());
    fake.put("SubtensorModule.SubnetworkN", &of, &size.encode());
    fake.put("SubtensorModule.Tempo", &of, &20u16.encode());
    fake.put("SubtensorModule.MechanismCountCurrent", &of, &2u8.encode());
    fake.put("SubtensorModule.LastUpdate", &[Key::from(4_188u16)], &vec![3u64; 256].encode());
    fake.put("SubtensorModule.Incentive", &of, &vec![255u16; 256].encode());
    fake.put("SubtensorModule.ValidatorPermit", &of, &vec![true; 256].encode());
    let hotkey = |uid: u16| clawrank_proof::blake2_256(&uid.encode());
    for uid in 0..size {
        fake.put("SubtensorModule.Keys", &[Key::from(92u16), Key::from(uid)], &hotkey(uid));
    }
    fake.put("SubtensorModule.TotalHotkeyAlpha", &[Key::from(&hotkey(200)), Key::from(92u16)], &5u64.encode());
    fake.put("SubtensorModule.SubnetOwnerHotkey", &of, &hotkey(17));
    let axon = (9u64, 1u32, 0x7f00_0002u128, 8_091u16, 4u8, 4u8, 0u8, 0u8);
    fake.put("SubtensorModule.Axons", &[Key::from(92u16), Key::from(&hotkey(3))], &axon.encode());
    let weights = vec![(1u16, 65_535u16), (2, 9)];
    fake.put("SubtensorModule.Weights", &[Key::from(4_188u16), Key::from(200u16)], &weights.encode());
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    fake.state().requests.clear();
    let subnet = chain.subnet(92).await.unwrap();
    let requests: u32 = fake.state().requests.values().sum();
    assert!(requests <= 5, "{requests} requests for {size} neurons");
    assert_eq!(subnet.neurons.len(), 256);
    assert!(subnet.neurons.iter().zip(0..).all(|(neuron, uid)| neuron.uid == uid && neuron.hotkey == hotkey(uid)));
    assert_eq!((subnet.tempo, subnet.mechanism_count, subnet.owner_uid, subnet.block_time_ms), (20, 2, Some(17), 250));
    let neuron = subnet.by_hotkey(&hotkey(200)).unwrap();
    assert_eq!((neuron.stake_rao, neuron.validator_permit), (5, true));
    assert_eq!((neuron.last_update.as_slice(), neuron.incentive.as_slice()), (&[0, 3][..], &[255, 0][..]));
    assert_eq!(subnet.neurons[3].axon.unwrap().port, 8_091);
    assert_eq!(subnet.neurons[4].axon, None);
    assert_eq!(chain.weights(92, 1).await.unwrap(), [(200, weights)]);
    assert_eq!(chain.weights(92, 0).await.unwrap(), []);
}

#[tokio::test]
async fn commitments_and_commits_are_read_when_they_are_stored() {
    let Some(fake) = FakeChain::new("p") else { return };
    let (early, late) = ([1u8; 32], [2u8; 32]);
    // Deposit, block, one raw field: variant 1 + length.
    let registration = |block: u32, data: &[u8]| {
        [0u64.encode(), block.encode(), vec![4, data.len() as u8 + 1], data.to_vec()].concat()
    };
    fake.put("Commitments.CommitmentOf", &[Key::from(92u16), Key::from(&late)], &registration(9, b"CRB1later"));
    fake.put("Commitments.CommitmentOf", &[Key::from(92u16), Key::from(&early)], &registration(4, b"x"));
    fake.put("Commitments.CommitmentOf", &[Key::from(93u16), Key::from(&early)], &registration(4, b"other"));
    let queue = vec![([7u8; 32], 3u64, 60u64, 0u64), ([8; 32], 4, 80, 0)];
    fake.put("SubtensorModule.WeightCommits", &[Key::from(4_188u16), Key::from(&early)], &queue.encode());
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    let found = chain.commitments(92).await.unwrap();
    assert_eq!(
        found,
        [
            Commitment { hotkey: early, block: 4, data: b"x".to_vec() },
            Commitment { hotkey: late, block: 9, data: b"CRB1later".to_vec() }
        ]
    );
    let commits = chain.weight_commits(92, 1, &early).await.unwrap();
    assert_eq!(commits[1], WeightCommit { hash: [8; 32], epoch: 4, block: 80 });
    assert!(chain.weight_commits(92, 0, &early).await.unwrap().is_empty());
}

#[tokio::test]
async fn params_are_read_at_a_block_when_the_subnet_stores_them() {
    let Some(chain) = FakeChain::new("params") else { return };
    let (url, _stop) = chain.serve().await;
    let client = Chain::connect(&config(&[&url])).await.unwrap();
    let block = client.heads().borrow().unwrap().hash;
    assert_eq!(client.params(92, block).await.unwrap(), None);
    let params = clawrank_primitives::Params::local();
    chain.put("ProviderRank.SubnetParams", &[Key::from(92u16)], &params.encode());
    assert_eq!(client.params(92, block).await.unwrap(), Some(params));
    assert_eq!(client.params(93, block).await.unwrap(), None);
    chain.put("ProviderRank.SubnetParams", &[Key::from(92u16)], &[1, 0]);
    let error = client.params(92, block).await.unwrap_err();
    assert!(error.to_string().contains("ProviderRank.SubnetParams of netuid 92"), "{error}");
}

#[tokio::test]
async fn payouts_are_read_by_epoch_and_uid_when_they_are_stored() {
    let Some(fake) = FakeChain::new("payouts") else { return };
    // Block, emission, dust, reporting and total stake; then uid, hotkey, gate, score and amount of each miner.
    let settlement = |payouts: &[(u16, u64)]| {
        let miners: Vec<_> =
            payouts.iter().map(|(uid, amount)| (*uid, [*uid as u8; 32], *amount == 0, u128::MAX, *amount)).collect();
        (360u64, 1_000_000u64, 7u64, 600u64, 1_000u64, miners).encode()
    };
    let of = |netuid: u16, epoch: u64| [Key::from(netuid), Key::from(epoch)];
    // A netuid and an epoch whose bytes do not read the same in another order or width.
    let late = 0x0102_0304_0506_0708;
    fake.put("ProviderRank.Settlements", &of(92, late), &settlement(&[(2, 0), (3, 41), (258, u64::MAX)]));
    fake.put("ProviderRank.Settlements", &of(92, 9), &settlement(&[(3, 1)]));
    fake.put("ProviderRank.Settlements", &of(92, 10), &settlement(&[]));
    fake.put("ProviderRank.Settlements", &of(93, 9), &settlement(&[(4, 5)]));
    let (url, _stop) = fake.serve().await;
    let chain = Chain::connect(&config(&[&url])).await.unwrap();
    let paid = |epoch: u64, uid: u16, amount_rao: u64| EpochPayout { epoch, uid, amount_rao };
    assert_eq!(chain.payouts(92).await.unwrap(), [paid(9, 3, 1), paid(late, 3, 41), paid(late, 258, u64::MAX)]);
    assert_eq!(chain.payouts(91).await.unwrap(), []);

    let cut = settlement(&[(3, 41)]);
    for bytes in [&cut[..cut.len() - 1], &[cut.as_slice(), &[0]].concat()] {
        fake.put("ProviderRank.Settlements", &of(92, 9), bytes);
        let error = chain.payouts(92).await.unwrap_err();
        assert!(
            matches!(&error, ClientError::UnsupportedRuntime { item, .. } if item == "ProviderRank.Settlements"),
            "{error}"
        );
    }
}
