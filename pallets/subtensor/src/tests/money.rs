// SPDX-License-Identifier: Apache-2.0

//! No rao appears or vanishes, whatever is called.

use super::mock::*;
use crate::*;
use proptest::prelude::*;
use sp_runtime::PerU16;

/// Something that an account or time does.
#[derive(Clone, Debug)]
enum Step {
    Blocks(u64),
    Stake(u16, u16, u64),
    Unstake(u16, u16, u64),
    UnstakeAll(u16, u16),
    Take(u16, u16),
    RegisterRoot(u16),
    Register(u16),
    Weigh(u16, u8, Vec<u16>),
    RegisterNetwork(u16),
    StartCall(u16, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0_u16..20;
    prop_oneof![
        4 => (1_u64..15).prop_map(Step::Blocks),
        4 => (number(), number(), 0_u64..3_000 * TAO).prop_map(|(number, to, amount)| Step::Stake(number, to, amount)),
        3 => (number(), number(), 0_u64..3_000 * TAO)
            .prop_map(|(number, of, amount)| Step::Unstake(number, of, amount)),
        1 => (number(), number()).prop_map(|(number, of)| Step::UnstakeAll(number, of)),
        1 => (number(), any::<u16>()).prop_map(|(number, take)| Step::Take(number, take)),
        1 => number().prop_map(Step::RegisterRoot),
        2 => number().prop_map(Step::Register),
        3 => (number(), 0_u8..2, prop::collection::vec(any::<u16>(), 1..7))
            .prop_map(|(number, mecid, values)| Step::Weigh(number, mecid, values)),
        1 => number().prop_map(Step::RegisterNetwork),
        1 => (number(), 1_u16..3).prop_map(|(number, netuid)| Step::StartCall(number, netuid)),
    ]
}

/// Does the step; whether the pallet takes it is not the question here.
fn apply(step: Step) {
    let coldkey = |number| RuntimeOrigin::signed(cold(number));
    let _ = match step {
        Step::Blocks(count) => {
            run_to(System::block_number() + count);
            Ok(())
        }
        Step::Stake(number, to, amount) => {
            SubtensorModule::add_stake(coldkey(number), hot(to), NETUID, TaoBalance(amount))
        }
        Step::Unstake(number, of, amount) => {
            SubtensorModule::remove_stake(coldkey(number), hot(of), NETUID, AlphaBalance(amount))
        }
        Step::UnstakeAll(number, of) => SubtensorModule::unstake_all(coldkey(number), hot(of)),
        Step::Take(number, take) => {
            SubtensorModule::decrease_take(coldkey(number), hot(number), PerU16::from_parts(take))
        }
        Step::RegisterRoot(number) => SubtensorModule::root_register(coldkey(number), hot(number)),
        Step::Register(number) => SubtensorModule::burned_register(coldkey(number), NETUID, hot(number)),
        Step::Weigh(number, mecid, values) => {
            let uids = (0..).take(values.len()).collect();
            SubtensorModule::set_mechanism_weights(signed(number), NETUID, MechId(mecid), uids, values, 0)
        }
        Step::RegisterNetwork(number) => SubtensorModule::register_network(coldkey(number), hot(number)),
        Step::StartCall(number, netuid) => SubtensorModule::start_call(coldkey(number), NetUid(netuid)),
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_alpha_is_backed_when_steps_are_any(steps in prop::collection::vec(step(), 1..40)) {
        let mut ext = Ext::plain();
        ext.config.network_min_lock_cost = Some(TaoBalance(TAO));
        ext.config.network_rate_limit = Some(0);
        ext.config.subnets[0].hyperparameters.max_allowed_uids = Some(10);
        ext.build_and_execute(|| {
            for step in steps {
                apply(step);
                SubtensorModule::do_try_state().unwrap();
            }
            run_to(System::block_number() + 1);
            assert_eq!(TotalIssuance::<Test>::get().0, Balances::total_issuance());
            // What the account holds is exactly what it backs, and the deposit that keeps it.
            let pending: u64 = SubtensorModule::netuids().into_iter().map(SubtensorModule::pending).sum();
            let held = Balances::free_balance(SubtensorModule::account());
            assert_eq!(held, TotalStake::<Test>::get().0 + pending + 500);
            // All leave, and nothing but what is pending stays behind.
            let stakes: Vec<_> = AlphaV2::<Test>::iter_keys().map(|(hotkey, coldkey, _)| (coldkey, hotkey)).collect();
            NetworksAdded::<Test>::iter_keys().for_each(|netuid| SubtokenEnabled::<Test>::insert(netuid, true));
            for (coldkey, hotkey) in stakes {
                let _ = SubtensorModule::unstake_all(RuntimeOrigin::signed(coldkey), hotkey);
            }
            assert_eq!(AlphaV2::<Test>::iter_keys().count(), 0);
            assert_eq!(TotalStake::<Test>::get().0, 0);
            assert_eq!(Balances::free_balance(SubtensorModule::account()), pending + 500);
        });
    }
}
