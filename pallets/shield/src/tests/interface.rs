// SPDX-License-Identifier: Apache-2.0

//! Names, indices, hashers and types of the public chain, from its metadata of version 461.

use super::mock::*;
use crate::*;
use frame_support::__private::metadata_ir::{StorageEntryModifierIR, StorageEntryTypeIR, StorageHasherIR};
use scale_info::{MetaType, TypeDef, meta_type};

/// Index, name and `field: type` of every variant of an enum.
fn variants(ty: MetaType) -> Vec<(u8, String)> {
    let TypeDef::Variant(variants) = ty.type_info().type_def else { panic!("not an enum") };
    let shown = variants.variants.iter().map(|variant| {
        let fields = variant.fields.iter().map(|field| {
            let name = field.name.unwrap_or_default();
            let ty = field.ty.type_info().path.ident().map(str::to_owned);
            format!("{name}: {}", ty.unwrap_or_else(|| field.type_name.unwrap_or_default().into()))
        });
        (variant.index, format!("{}({})", variant.name, fields.collect::<Vec<_>>().join(", ")))
    });
    shown.collect()
}

#[test]
fn calls_events_and_errors_are_the_public_chains_when_they_are_here() {
    let expect = |all: &[(u8, &str)]| all.iter().map(|(index, name)| (*index, (*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(
        variants(meta_type::<Call<Test>>()),
        expect(&[(0, "announce_next_key(enc_key: Option)"), (1, "submit_encrypted(ciphertext: BoundedVec)")])
    );
    assert_eq!(variants(meta_type::<Event<Test>>()), expect(&[(0, "EncryptedSubmitted(id: H256, who: T::AccountId)")]));
    assert_eq!(variants(meta_type::<Error<Test>>()), expect(&[(0, "BadEncKeyLen()"), (1, "Unreachable()")]));
}

#[test]
fn storage_is_the_public_chains_when_it_is_here() {
    let metadata = MevShield::storage_metadata();
    assert_eq!(metadata.prefix, "MevShield");
    let mut names = Vec::new();
    for entry in metadata.entries {
        assert_eq!(entry.modifier, StorageEntryModifierIR::Optional, "{}", entry.name);
        let (hashers, value) = match entry.ty {
            StorageEntryTypeIR::Plain(value) => (vec![], value),
            StorageEntryTypeIR::Map { hashers, value, .. } => (hashers, value),
        };
        let by_author = entry.name == "AuthorKeys";
        assert_eq!(hashers, if by_author { vec![StorageHasherIR::Twox64Concat] } else { vec![] });
        let number = entry.name.ends_with("ExpiresAt");
        assert_eq!(value, if number { meta_type::<u32>() } else { meta_type::<PublicKey>() }, "{}", entry.name);
        names.push(entry.name);
    }
    let expected = ["CurrentKey", "PendingKey", "NextKey", "AuthorKeys", "PendingKeyExpiresAt", "NextKeyExpiresAt"];
    assert_eq!(names, expected);
}
