// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use clawrank_proof::ss58;
use secrecy::{ExposeSecret, SecretString};

use super::*;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const ALICE_SEED: &str = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
/// Address of the public development phrase itself.
const DEV: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const DEV_WORDS: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

fn uri(text: &str) -> Result<Keypair, WalletError> {
    keypair_from_uri(&SecretString::from(text))
}

fn address(key: &Keypair) -> String {
    ss58::encode(&key.public())
}

fn parse(text: &str) -> Result<Keypair, WalletError> {
    parse_keyfile(text.as_bytes(), Path::new("hk"))
}

#[test]
fn uri_gives_the_known_address_when_phrase_seed_and_path_are_used() {
    for (text, expected) in [
        ("//Alice", ALICE),
        ("//Bob", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"),
        (DEV_WORDS, DEV),
        (&format!("{DEV_WORDS}//Alice"), ALICE),
        (&format!("  {}//Alice ", DEV_WORDS.to_uppercase().replace(' ', "   ")), ALICE),
        (&format!("0x{ALICE_SEED}"), ALICE),
        (ALICE_SEED, ALICE),
        (&format!("{DEV_WORDS}///"), DEV),
    ] {
        assert_eq!(address(&uri(text).unwrap()), expected, "{text}");
    }
    let miner = uri("//miner//0").unwrap();
    assert_eq!(miner.public(), Keypair::dev("//miner//0").unwrap().public());
    let with_password = uri("//Alice///secret").unwrap();
    assert_ne!(address(&with_password), ALICE);
    assert_eq!(with_password.public(), uri(&format!("{DEV_WORDS}//Alice///secret")).unwrap().public());
}

#[test]
fn uri_is_refused_when_words_seed_path_or_password_are_wrong() {
    for text in [
        "one two three",
        "bottom drive obey lake curtain smoke basket hold race lonely fit fit",
        "0x1234",
        "//",
        "//Alice//",
        &format!("0x{ALICE_SEED}///password"),
    ] {
        let error = uri(text).unwrap_err();
        assert!(matches!(error, WalletError::BadUri { .. }), "{text}: {error}");
        assert!(!error.to_string().contains("bottom"), "{error}");
    }
}

#[test]
fn keyfile_takes_the_first_secret_when_several_are_there() {
    let other_seed = "11".repeat(32);
    let phrase = format!(r#"{{"secretPhrase":"{DEV_WORDS}","secretSeed":"0x{other_seed}","ss58Address":"{DEV}"}}"#);
    assert_eq!(address(&parse(&phrase).unwrap()), DEV);
    let seed = format!(r#"{{"secretSeed":"0x{ALICE_SEED}","privateKey":"0x00","ss58Address":"{ALICE}"}}"#);
    assert_eq!(address(&parse(&seed).unwrap()), ALICE);
    let old =
        format!(r#"{{"secretPhrase":null,"secretSeed":"{ALICE_SEED}"," ss58Address":"{ALICE}","cryptoType":"1"}}"#);
    assert_eq!(address(&parse(&old).unwrap()), ALICE);
    assert_eq!(address(&parse(&format!("0x{ALICE_SEED}\n")).unwrap()), ALICE);
    assert_eq!(address(&parse(DEV_WORDS).unwrap()), DEV);
}

#[test]
fn keyfile_reads_an_expanded_key_when_in_either_form() {
    // The canonical form, and the Ed25519 one, whose scalar is eight times as large.
    let canonical = Keypair::dev("//Alice").unwrap().to_expanded_secret();
    let mut ed25519 = canonical;
    let low = u128::from_le_bytes(canonical[..16].try_into().unwrap());
    let high = u128::from_le_bytes(canonical[16..32].try_into().unwrap());
    ed25519[..16].copy_from_slice(&(low << 3).to_le_bytes());
    ed25519[16..32].copy_from_slice(&((high << 3) | (low >> 125)).to_le_bytes());
    for bytes in [ed25519, canonical] {
        let text = format!(r#"{{"privateKey":"0x{}","ss58Address":"{ALICE}"}}"#, hex::encode(bytes));
        let key = parse(&text).unwrap();
        assert_eq!(address(&key), ALICE);
        assert_eq!(key.to_expanded_secret(), canonical);
        let unchecked = format!(r#"{{"privateKey":"0x{}"}}"#, hex::encode(bytes));
        assert!(matches!(parse(&unchecked), Err(WalletError::Malformed { .. })));
        let anothers = format!(r#"{{"privateKey":"0x{}","ss58Address":"{DEV}"}}"#, hex::encode(bytes));
        assert!(matches!(parse(&anothers), Err(WalletError::Malformed { .. })));
    }
}

#[test]
fn keyfile_is_refused_when_its_address_is_anothers() {
    let wrong = format!(r#"{{"secretSeed":"0x{ALICE_SEED}","ss58Address":"{DEV}"}}"#);
    assert!(
        matches!(parse(&wrong), Err(WalletError::AddressMismatch { found, stated, .. }) if found == ALICE && stated == DEV)
    );
    let ed25519 = format!(r#"{{"secretSeed":"0x{ALICE_SEED}","ss58Address":"{DEV}","cryptoType":0}}"#);
    assert!(matches!(parse(&ed25519), Err(WalletError::NotSr25519 { .. })));
}

#[test]
fn keyfile_is_refused_by_format_when_it_is_encrypted() {
    for (text, format) in [
        ("$NACL\u{1}\u{2}", Encryption::Nacl),
        ("$ANSIBLE_VAULT;1.1;AES256\n3039", Encryption::AnsibleVault),
        ("gAAAAABkZ", Encryption::Fernet),
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, WalletError::Encrypted { format: found, .. } if found == format), "{error}");
        assert!(error.to_string().contains("encrypted"), "{error}");
    }
}

#[test]
fn keyfile_is_refused_without_quoting_it_when_it_is_malformed() {
    let public = format!(r#"{{"ss58Address":"{ALICE}"}}"#);
    for text in [
        "",
        "{",
        "{}",
        &public,
        r#"{"secretSeed":"0xnothex-s3cret"}"#,
        "s3cret words",
        r#"{"secretPhrase":["s3cret"]}"#,
    ] {
        let error = parse(text).unwrap_err();
        assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(parse_public_keyfile(public.as_bytes(), Path::new("p")).unwrap(), ss58::decode(ALICE).unwrap());
    assert_eq!(parse_public_keyfile(ALICE.as_bytes(), Path::new("p")).unwrap(), ss58::decode(ALICE).unwrap());
}

#[test]
fn hotkey_survives_the_round_trip_when_created_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::new(folder.path(), "default").unwrap();
    let made = wallet.create_hotkey("hk1", Overwrite::Never).unwrap();
    assert_eq!(made.mnemonic.expose_secret().split(' ').count(), 12);
    assert!(!format!("{made:?}").contains(made.mnemonic.expose_secret()));
    let read = wallet.hotkey("hk1").unwrap();
    assert_eq!(read.public(), made.public);
    assert_eq!(keypair_from_uri(&made.mnemonic).unwrap().public(), made.public);
    assert_eq!(wallet.hotkeys().unwrap(), ["hk1"]);
    // Each secret of the file alone gives the same key.
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&made.path).unwrap()).unwrap();
    for field in ["secretPhrase", "secretSeed"] {
        let text = serde_json::json!({ field: json[field], "ss58Address": json["ss58Address"] }).to_string();
        assert_eq!(parse(&text).unwrap().public(), made.public, "{field}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&made.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(
        std::fs::read_dir(made.path.parent().unwrap())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().ends_with(".tmp") })
    );
}

#[test]
fn hotkey_is_kept_when_overwriting_was_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::new(folder.path(), "default").unwrap();
    let first = wallet.create_hotkey("hk", Overwrite::Never).unwrap();
    let refused = wallet.create_hotkey("hk", Overwrite::Never).unwrap_err();
    assert!(matches!(&refused, WalletError::Exists { path } if *path == first.path), "{refused}");
    assert_eq!(wallet.hotkey("hk").unwrap().public(), first.public);
    let second = wallet.import_hotkey("hk", SecretString::from(DEV_WORDS), Overwrite::Replace).unwrap();
    assert_eq!(address(&wallet.hotkey("hk").unwrap()), DEV);
    assert_eq!(ss58::encode(&second.public), DEV);
    let public = std::fs::read(second.path.with_file_name("hkpub.txt")).unwrap();
    assert_eq!(parse_public_keyfile(&public, Path::new("p")).unwrap(), second.public);
}

#[test]
fn wallet_name_is_refused_when_it_could_leave_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "..", "../x", "a/b", ".hidden", "a b", "x\0"] {
        assert!(matches!(Wallet::new(folder.path(), name), Err(WalletError::BadName { .. })), "{name:?}");
    }
    let wallet = Wallet::new(folder.path(), "w").unwrap();
    assert!(matches!(wallet.hotkey("../../etc/passwd"), Err(WalletError::BadName { .. })));
    assert!(matches!(wallet.hotkey("absent"), Err(WalletError::Io { .. })));
    assert!(wallet.hotkeys().unwrap().is_empty());
}
