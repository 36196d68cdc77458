// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used)]

use super::*;

const NOW: u64 = 1_700_000_000_000;

fn request(sender: HotkeyId, receiver: HotkeyId) -> RequestAuth {
    RequestAuth {
        method: Method::Post,
        path_and_query: Text::new("/v1/bundle?epoch=3").unwrap(),
        body_hash: crate::blake2_256(b""),
        receiver,
        sender,
        time_ms: NOW,
        nonce: [3; 16],
    }
}

#[test]
fn window_is_five_seconds_either_way_when_checked() {
    let request = request([1; 32], [2; 32]);
    for now in [NOW, NOW - 5_000, NOW + 5_000] {
        assert_eq!(request.check_window(now), Ok(()), "{now}");
    }
    for now in [NOW - 5_001, NOW + 5_001, 0, u64::MAX] {
        assert_eq!(request.check_window(now), Err(ProofError::OutsideWindow { time_ms: NOW, now_ms: now }), "{now}");
    }
}

#[test]
fn method_survives_when_written() {
    for method in [Method::Get, Method::Post, Method::Put, Method::Delete] {
        assert_eq!(method.as_str().parse(), Ok(method));
    }
    assert_eq!("get".parse::<Method>(), Err(ProofError::Malformed));
}

#[cfg(feature = "sign")]
mod with_keys {
    use super::*;
    use crate::Keypair;

    #[test]
    fn request_verifies_only_when_nothing_changes() {
        let (sender, receiver) = (Keypair::dev("//Validator").unwrap(), [2; 32]);
        let good = request(sender.public(), receiver);
        let signature = sender.sign(&good.signing_payload());
        assert_eq!(good.verify(&receiver, NOW + 10, &signature), Ok(()));
        assert_eq!(good.verify(&[9; 32], NOW, &signature), Err(ProofError::WrongParty));
        assert!(matches!(good.verify(&receiver, NOW + 6_000, &signature), Err(ProofError::OutsideWindow { .. })));
        let changes: [fn(&mut RequestAuth); 5] = [
            |r| r.method = Method::Get,
            |r| r.path_and_query = Text::new("/v1/bundle?epoch=4").unwrap(),
            |r| r.body_hash = [0; 32],
            |r| r.time_ms += 1,
            |r| r.nonce = [4; 16],
        ];
        for change in changes {
            let mut changed = good.clone();
            change(&mut changed);
            assert_eq!(changed.verify(&receiver, NOW, &signature), Err(ProofError::BadSignature));
        }
    }

    #[test]
    fn hello_verifies_only_when_signed_for_this_connection() {
        let miner = Keypair::dev("//Miner").unwrap();
        let hello = Hello {
            version: HELLO_VERSION,
            genesis: [1; 32],
            netuid: 92,
            gateway: [2; 32],
            nonce: [3; 32],
            hotkey: miner.public(),
            body_hash: [4; 32],
        };
        let signature = miner.sign(&hello.signing_payload());
        assert_eq!(hello.verify(&signature), Ok(()));
        let replayed = Hello { nonce: [5; 32], ..hello.clone() };
        assert_eq!(replayed.verify(&signature), Err(ProofError::BadSignature));
        let future = Hello { version: 2, ..hello };
        assert_eq!(future.verify(&signature), Err(ProofError::UnknownVersion { found: 2 }));
    }
}
