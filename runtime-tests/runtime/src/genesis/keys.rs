// SPDX-License-Identifier: Apache-2.0
//! The development keys, which are public: never use them on a chain that matters.
//!
//! | account | URI |
//! |---|---|
//! | owner, coldkey / hotkey | `//owner//cold` / `//owner` |
//! | miner `n`, coldkey / hotkey | `//miner//n//cold` / `//miner//n` |
//! | validator `n`, coldkey / hotkey | `//validator//n//cold` / `//validator//n` |
//! | authorities, sudo | `//Alice`, `//Bob`, … (Alice is sudo) |

use crate::AccountId;
use alloc::vec::Vec;
use sp_core::{Pair, crypto::DeriveJunction, sr25519};

/// The seed of Substrate's well-known development phrase, below which every development key is derived.
const DEV_SEED: [u8; 32] = [
    0xfa, 0xc7, 0x95, 0x9d, 0xbf, 0xe7, 0x2f, 0x05, 0x2e, 0x5a, 0x0c, 0x3c, 0x8d, 0x65, 0x30, 0xf2, 0x02, 0xb0, 0x2f,
    0xd8, 0xf9, 0xf5, 0xca, 0x35, 0x80, 0xec, 0x8d, 0xeb, 0x77, 0x97, 0x47, 0x9e,
];

/// What a development account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The owner of the subnet.
    Owner,
    /// Miner `n`, from 0.
    Miner(u32),
    /// Validator `n`, from 0.
    Validator(u32),
}

impl Role {
    /// The path of this role's hotkey below the root secret, e.g. `//miner//0`.
    pub fn hotkey_path(self) -> alloc::string::String {
        match self {
            Self::Owner => "//owner".into(),
            Self::Miner(n) => alloc::format!("//miner//{n}"),
            Self::Validator(n) => alloc::format!("//validator//{n}"),
        }
    }

    /// The path of this role's coldkey, e.g. `//miner//0//cold`.
    pub fn coldkey_path(self) -> alloc::string::String {
        alloc::format!("{}//cold", self.hotkey_path())
    }

    fn junctions(self) -> Vec<DeriveJunction> {
        let (name, n) = match self {
            Self::Owner => ("owner", None),
            Self::Miner(n) => ("miner", Some(n)),
            Self::Validator(n) => ("validator", Some(n)),
        };
        let mut path = alloc::vec![DeriveJunction::hard(name)];
        path.extend(n.map(|n| DeriveJunction::hard(u64::from(n))));
        path
    }

    /// The hotkey's account.
    pub fn hotkey(self) -> AccountId {
        account(self.junctions())
    }

    /// The coldkey's account.
    pub fn coldkey(self) -> AccountId {
        let mut path = self.junctions();
        path.push(DeriveJunction::hard("cold"));
        account(path)
    }
}

/// The account of `//name`.
pub(super) fn development(name: &str) -> AccountId {
    account(alloc::vec![DeriveJunction::hard(name)])
}

#[allow(clippy::expect_used, reason = "proven where it is")]
fn account(path: Vec<DeriveJunction>) -> AccountId {
    let root = sr25519::Pair::from_seed(&DEV_SEED);
    let (pair, _) = root.derive(path.into_iter(), None).expect("sr25519 derives any path from a secret; qed");
    AccountId::from(pair.public())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn development_keys_equal_their_uris_when_derived() {
        for role in [Role::Owner, Role::Miner(0), Role::Miner(63), Role::Validator(2)] {
            for (path, got) in [(role.hotkey_path(), role.hotkey()), (role.coldkey_path(), role.coldkey())] {
                let pair = sr25519::Pair::from_string(&path, None).expect("a development URI; qed");
                assert_eq!(AccountId::from(pair.public()), got, "{path}");
            }
        }
        let three = sr25519::Pair::from_string("//Three", None).expect("a development URI; qed");
        assert_eq!(development("Three"), AccountId::from(three.public()));
    }
}
