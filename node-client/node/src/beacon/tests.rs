// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
#![allow(clippy::unwrap_used)]

use super::*;
use crate::service::Beacon;
use sp_core::offchain::storage::InMemOffchainStorage;

fn endpoints() -> Vec<Endpoint> {
    ["http://one", "https://two"].map(|url| url.parse().unwrap()).to_vec()
}

fn told(storage: &InMemOffchainStorage) -> Option<Vec<String>> {
    storage.get(STORAGE_PREFIX, ENDPOINTS_KEY).map(|bytes| Decode::decode(&mut bytes.as_slice()).unwrap())
}

#[test]
fn worker_is_told_endpoints_in_their_order_and_forgets_them_when_the_next_start_names_none() {
    let mut storage = InMemOffchainStorage::default();
    tell(&mut storage, &endpoints());
    assert_eq!(told(&storage), Some(vec!["http://one".to_owned(), "https://two".to_owned()]));
    tell(&mut storage, &[]);
    assert_eq!(told(&storage), None);
}

#[test]
fn task_follows_the_chains_beacon_unless_the_command_line_is_about_another() {
    use Source::{Dev, Other, Quicknet};

    for (asks, of_dev, of_quicknet, of_other) in [
        (Beacon::OfGenesis, Some(Task::Sign), Some(Task::Fetch(vec![])), Some(Task::Rest)),
        (Beacon::At(endpoints()), None, Some(Task::Fetch(endpoints())), Some(Task::Fetch(endpoints()))),
        (Beacon::Dev, Some(Task::Sign), None, None),
        (Beacon::Others, Some(Task::Rest), Some(Task::Rest), Some(Task::Rest)),
    ] {
        for (source, expected) in [(Dev, of_dev), (Quicknet, of_quicknet), (Other, of_other)] {
            assert_eq!(task(asks.clone(), source).ok(), expected, "{asks:?} {source:?}");
        }
    }
}
