// SPDX-License-Identifier: Apache-2.0

//! The public chain's bytes, indices and storage.

use super::mock::*;
use crate::*;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    __private::metadata_ir::{StorageEntryModifierIR, StorageEntryTypeIR},
    BoundedVec,
    traits::ConstU32,
};
use proptest::prelude::*;
use scale_info::{TypeDef, TypeInfo, meta_type};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/data/public-interface.json")).unwrap()
}

fn raw(len: usize) -> Data {
    Data::Raw(BoundedVec::truncate_from(vec![7; len]))
}

#[test]
fn data_is_encoded_as_on_the_public_chain_when_it_is_any_variant() {
    let check = |data: Data, bytes: Vec<u8>| {
        assert_eq!(data.encode(), bytes);
        assert_eq!(Data::decode(&mut &bytes[..]), Ok(data.clone()));
        assert!(bytes.len() <= Data::max_encoded_len());
    };
    let tagged = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    check(Data::None, vec![0]);
    check(raw(0), vec![1]);
    check(raw(3), tagged(4, &[7; 3]));
    check(raw(128), tagged(129, &[7; 128]));
    check(Data::BlakeTwo256([1; 32]), tagged(130, &[1; 32]));
    check(Data::Sha256([2; 32]), tagged(131, &[2; 32]));
    check(Data::Keccak256([3; 32]), tagged(132, &[3; 32]));
    check(Data::ShaThree256([4; 32]), tagged(133, &[4; 32]));
    let big = Data::BigRaw(BoundedVec::truncate_from(vec![9; 512]));
    check(big, tagged(136, &vec![9_u8; 512].encode()));
    let encrypted = BoundedVec::truncate_from(vec![9; 1_024]);
    let hidden = [vec![9_u8; 1_024].encode(), 77_u64.encode()].concat();
    check(Data::TimelockEncrypted { encrypted: encrypted.clone(), reveal_round: 77 }, tagged(134, &hidden));
    check(Data::ResetBondsFlag, vec![135]);
    check(Data::TimelockRevealFailed { encrypted, reveal_round: 77 }, tagged(137, &hidden));
}

#[test]
fn data_is_refused_when_it_is_short_long_or_unknown() {
    let refused = |bytes: &[u8]| assert!(Data::decode(&mut &bytes[..]).is_err(), "{bytes:?}");
    for tag in 138..=255 {
        refused(&[&[tag][..], &[0; 600]].concat());
    }
    refused(&[]);
    refused(&[4, 7, 7]);
    refused(&[130, 0]);
    refused(&[&[136][..], &vec![0_u8; 513].encode()].concat());
    refused(&[&[134][..], &vec![0_u8; 1_025].encode(), &[0; 8]].concat());
    refused(&[&[134][..], &vec![0_u8; 9].encode(), &[0; 7]].concat());
}

#[test]
fn variants_are_those_of_the_public_chain_when_described() {
    let TypeDef::Variant(variants) = Data::type_info().type_def else { panic!("not an enum") };
    assert_eq!(variants.variants.len(), 1 + 129 + 4 + 4);
    for variant in &variants.variants {
        let expected = match variant.name {
            "None" => 0,
            "BlakeTwo256" => 130,
            "Sha256" => 131,
            "Keccak256" => 132,
            "ShaThree256" => 133,
            "TimelockEncrypted" => 134,
            "ResetBondsFlag" => 135,
            "BigRaw" => 136,
            "TimelockRevealFailed" => 137,
            name => {
                let len: u8 = name.strip_prefix("Raw").unwrap().parse().unwrap();
                let TypeDef::Array(array) = variant.fields[0].ty.type_info().type_def else { panic!("no array") };
                assert_eq!(array.len, u32::from(len));
                len + 1
            }
        };
        assert_eq!(variant.index, expected, "{}", variant.name);
    }
}

#[test]
fn indices_are_those_of_the_public_chain_when_compared_with_its_metadata() {
    let golden = golden();
    for (what, ty) in [
        ("calls", meta_type::<Call<Test>>()),
        ("events", meta_type::<Event<Test>>()),
        ("errors", meta_type::<Error<Test>>()),
    ] {
        let TypeDef::Variant(variants) = ty.type_info().type_def else { panic!("not an enum") };
        assert!(!variants.variants.is_empty());
        for variant in &variants.variants {
            let theirs = &golden[what][variant.name];
            assert_eq!(theirs["index"], Value::from(variant.index), "{what} {}", variant.name);
            let names: Vec<String> = variant.fields.iter().map(|field| field.name.unwrap_or_default().into()).collect();
            let expected: Vec<String> = theirs["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(|field| field.as_str().unwrap().split(':').next().unwrap().into())
                .collect();
            assert_eq!(names, expected, "{what} {}", variant.name);
        }
    }
}

#[test]
fn storage_is_that_of_the_public_chain_when_compared_with_its_metadata() {
    let golden = golden();
    let metadata = Commitments::storage_metadata();
    assert_eq!(metadata.prefix, "Commitments");
    for entry in metadata.entries {
        let theirs = &golden["storage"][entry.name];
        let hashers: Vec<String> = match entry.ty {
            StorageEntryTypeIR::Plain(_) => vec![],
            StorageEntryTypeIR::Map { hashers, .. } => hashers.iter().map(|hasher| format!("{hasher:?}")).collect(),
        };
        assert_eq!(theirs["hashers"], Value::from(hashers), "{}", entry.name);
        assert_eq!(theirs["optional"], Value::from(entry.modifier == StorageEntryModifierIR::Optional));
        let default: String = entry.default.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(theirs["default"], Value::from(default), "{}", entry.name);
    }
}

#[test]
fn bytes_are_split_over_fields_when_they_are_long() {
    let info = CommitmentInfo::<ConstU32<3>>::raw(&[1; 300]).unwrap();
    let lens: Vec<u64> = info.fields.iter().map(Data::len_for_space).collect();
    assert_eq!(lens, [128, 128, 44]);
    assert_eq!(CommitmentInfo::<ConstU32<3>>::raw(&[1; 385]), None);
}

proptest! {
    #[test]
    fn decoder_gives_what_encodes_back_when_fed_anything(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        let mut input = &bytes[..];
        if let Ok(data) = Data::decode(&mut input) {
            let read = bytes.len() - input.len();
            prop_assert_eq!(data.encode(), &bytes[..read]);
        }
    }
}
