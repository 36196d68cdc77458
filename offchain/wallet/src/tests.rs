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
    parse_keyfile(text.as_bytes(), Path::new("/w/hk"))
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
fn keyfile_asks_for_a_password_when_it_is_encrypted() {
    for (text, format) in [
        ("$NACL\u{1}\u{2}", Encryption::Nacl),
        ("$ANSIBLE_VAULT;1.1;AES256\n3039", Encryption::AnsibleVault),
        ("gAAAAABkZ", Encryption::Fernet),
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, WalletError::NoPassword { format: found, .. } if found == format), "{error}");
        let text = error.to_string();
        assert!(text.contains("/w/hk is encrypted") && text.contains("BT_PW__W_HK"), "{text}");
    }
}

#[test]
fn keyfile_is_refused_as_ed25519_when_its_type_says_so() {
    for text in [
        format!(r#"{{"secretSeed":"0x{ALICE_SEED}","cryptoType":0}}"#),
        format!(r#"{{"secretSeed":"0x{ALICE_SEED}","ss58Address":"{DEV}","cryptoType":"0"}}"#),
        format!(r#"{{"privateKey":"0x{ALICE_SEED}","ss58Address":"{DEV}","cryptoType":0}}"#),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(matches!(error, WalletError::NotSr25519 { .. }), "{text}: {error}");
    }
    // The address decides over the type, as in the SDK.
    let mislabelled = format!(r#"{{"secretSeed":"0x{ALICE_SEED}","ss58Address":"{ALICE}","cryptoType":0}}"#);
    assert_eq!(address(&parse(&mislabelled).unwrap()), ALICE);
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
        "$VAULT;s3cret",
        r#"{"secretPhrase":["s3cret"]}"#,
    ] {
        let error = parse(text).unwrap_err();
        assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert_eq!(parse_public_keyfile(public.as_bytes(), Path::new("p")).unwrap(), ss58::decode(ALICE).unwrap());
    assert_eq!(parse_public_keyfile(ALICE.as_bytes(), Path::new("p")).unwrap(), ss58::decode(ALICE).unwrap());
}

fn folder() -> (tempfile::TempDir, Wallet) {
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::new(folder.path(), "default").unwrap();
    (folder, wallet)
}

#[test]
fn plain_key_survives_the_round_trip_when_created_and_read_again() {
    let (_folder, wallet) = folder();
    for (slot, long, count) in [(Slot::Hotkey("hk1"), false, 12), (Slot::Coldkey, true, 24)] {
        let words = generate_mnemonic(long).unwrap();
        assert_eq!(words.expose_secret().split(' ').count(), count);
        let origin = Origin::Mnemonic(words.clone());
        assert!(!format!("{origin:?}").contains(words.expose_secret()));
        let made = wallet.write(slot, &origin, &Protection::Plain, Overwrite::Never).unwrap();
        assert_eq!(wallet.read(slot, &Passwords::none()).unwrap().public(), made.public);
        assert_eq!(wallet.public(slot).unwrap(), made.public);
        assert_eq!(keypair_from_uri(&words).unwrap().public(), made.public);
        // Each secret of the file alone gives the same key.
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&made.path).unwrap()).unwrap();
        for field in ["secretPhrase", "secretSeed", "privateKey"] {
            let text = serde_json::json!({ field: json[field], "ss58Address": json["ss58Address"] }).to_string();
            assert_eq!(parse(&text).unwrap().public(), made.public, "{field}");
        }
        #[cfg(unix)]
        assert_eq!(inspect(&made.path).unwrap(), Inspection { encryption: None, mode: Some(0o600) });
        // Without the public half, the plain file itself tells its address.
        std::fs::remove_file(wallet.public_path(slot).unwrap()).unwrap();
        assert_eq!(wallet.public(slot).unwrap(), made.public);
        let files = std::fs::read_dir(made.path.parent().unwrap()).unwrap();
        assert!(files.into_iter().all(|entry| !entry.unwrap().file_name().to_string_lossy().ends_with(".tmp")));
    }
    assert_eq!(wallet.hotkeys().unwrap(), ["hk1"]);
    assert_eq!(Wallet::names(wallet.folder().parent().unwrap()).unwrap(), ["default"]);
}

#[test]
fn key_is_kept_when_overwriting_was_not_asked_for() {
    let (_folder, wallet) = folder();
    let slot = Slot::Hotkey("hk");
    let seed = Origin::Seed(format!("0x{ALICE_SEED}").into());
    let first = wallet.write(slot, &seed, &Protection::Plain, Overwrite::Never).unwrap();
    assert_eq!(ss58::encode(&first.public), ALICE);
    let words = Origin::Mnemonic(DEV_WORDS.to_uppercase().into());
    let refused = wallet.write(slot, &words, &Protection::Plain, Overwrite::Never).unwrap_err();
    assert!(matches!(&refused, WalletError::Exists { path } if *path == first.path), "{refused}");
    assert_eq!(wallet.read(slot, &Passwords::none()).unwrap().public(), first.public);
    let second = wallet.write(slot, &words, &Protection::Plain, Overwrite::Replace).unwrap();
    assert_eq!(address(&wallet.read(slot, &Passwords::none()).unwrap()), DEV);
    assert_eq!(ss58::encode(&second.public), DEV);
    assert_eq!(wallet.public(slot).unwrap(), second.public);
    for bad in ["s3cret", "0x12"] {
        let error = wallet
            .write(slot, &Origin::Seed(bad.into()), &Protection::Plain, Overwrite::Replace)
            .unwrap_err()
            .to_string();
        assert!(error.contains("32 bytes") && !error.contains("s3cret"), "{error}");
    }
}

/// One test for all of it: each derivation takes seconds and 512 MiB.
#[test]
fn key_opens_by_its_password_only_when_it_is_encrypted() {
    let (_folder, wallet) = folder();
    let slot = Slot::Coldkey;
    let password = SecretString::from("correct horse");
    let words = Origin::Mnemonic(DEV_WORDS.into());
    let made = wallet.write(slot, &words, &Protection::Password(password.clone()), Overwrite::Never).unwrap();
    let bytes = std::fs::read(&made.path).unwrap();
    assert!(bytes.starts_with(b"$NACL"));
    assert!(!bytes.windows(6).any(|part| part == b"bottom"));
    assert_eq!(inspect(&made.path).unwrap().encryption, Some(Encryption::Nacl));
    assert_eq!(wallet.public(slot).unwrap(), made.public, "the public half needs no password");

    let none = wallet.read(slot, &Passwords::none()).unwrap_err();
    assert!(matches!(none, WalletError::NoPassword { .. }), "{none}");
    let wrong = wallet.read(slot, &Passwords::none().or_first("wrong horse".into())).unwrap_err();
    assert!(matches!(wrong, WalletError::WrongPassword { .. }), "{wrong}");
    assert!(wrong.to_string().contains("coldkey") && !wrong.to_string().contains("horse"), "{wrong}");

    // Decrypted with a password from the file's own variable.
    let variable = password_variable(&made.path);
    let hidden = hide_password(&variable, &password).expose_secret().to_owned();
    let passwords = Passwords::from_lookup(move |name| (name == variable).then(|| hidden.clone()));
    wallet.protect(slot, &passwords, &Protection::Plain).unwrap();
    assert_eq!(address(&wallet.read(slot, &Passwords::none()).unwrap()), DEV);
}

#[test]
#[cfg(unix)]
fn plain_key_is_refused_when_others_can_reach_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, wallet) = folder();
    let slot = Slot::Hotkey("hk");
    let seed = Origin::Seed(ALICE_SEED.into());
    let made = wallet.write(slot, &seed, &Protection::Plain, Overwrite::Never).unwrap();
    for (mode, exposed) in [(0o640, true), (0o604, true), (0o620, true), (0o400, false), (0o700, false)] {
        std::fs::set_permissions(&made.path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(inspect(&made.path).unwrap().is_exposed(), exposed, "{mode:o}");
        match wallet.read(slot, &Passwords::none()) {
            Ok(_) => assert!(!exposed, "{mode:o}"),
            Err(error) => {
                assert!(exposed && matches!(error, WalletError::Exposed { .. }), "{mode:o}: {error}");
                assert!(error.to_string().contains("chmod 600"), "{error}");
            }
        }
    }
}

#[test]
fn password_comes_from_the_first_source_when_several_have_one() {
    let path = Path::new("/home/me/.bittensor/wallets/w.1/coldkey");
    let variable = password_variable(path);
    assert_eq!(variable, "BT_PW__HOME_ME__BITTENSOR_WALLETS_W_1_COLDKEY");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "from file\n").unwrap();
    let all = [
        (PASSWORD_ENV.to_owned(), "generic".to_owned()),
        (variable.clone(), hide_password(&variable, &"own".into()).expose_secret().to_owned()),
        (PASSWORD_FILE_ENV.to_owned(), file.display().to_string()),
    ];
    let from = |variables: &[(String, String)]| {
        let variables = variables.to_vec();
        Passwords::from_lookup(move |name| {
            variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        })
        .or_ask(|_| Ok("asked".into()))
    };
    let got = |passwords: Passwords| passwords.password_of(path).unwrap().unwrap().expose_secret().to_owned();
    assert_eq!(got(from(&all).or_first("given".into())), "given");
    assert_eq!(got(from(&all)), "generic");
    assert_eq!(got(from(&all[1..])), "own");
    assert_eq!(got(from(&all[2..])), "from file");
    assert_eq!(got(from(&[])), "asked");
    assert!(Passwords::none().password_of(path).unwrap().is_none());
    // As the SDK writes it.
    let variable = "BT_PW__TMP_X_COLDKEY";
    assert_eq!(hide_password(variable, &"pässword 12".into()).expose_secret(), "Mpf7IyQoMCYpcG5q");
}

#[test]
fn password_is_refused_by_its_source_when_it_is_malformed() {
    let path = Path::new("/w/coldkey");
    let broken = Passwords::from_lookup(|name| (name == "BT_PW__W_COLDKEY").then(|| "no base64!".to_owned()));
    let error = broken.password_of(path).unwrap_err().to_string();
    assert!(error.starts_with("BT_PW__W_COLDKEY: is not base64"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("empty", vec![b'\n']), ("long", vec![b'x'; 5_000]), ("binary", vec![0xff; 4])] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let error = read_password_file(&file).unwrap_err();
        assert!(matches!(error, WalletError::BadPassword { .. }), "{error}");
        assert!(error.to_string().contains(name) && !error.to_string().contains("xx"), "{error}");
    }
    assert!(matches!(read_password_file(&folder.path().join("absent")), Err(WalletError::Missing { .. })));
}

#[test]
fn wallet_name_is_refused_when_it_could_leave_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "..", "../x", "a/b", ".hidden", "a b", "x\0"] {
        assert!(matches!(Wallet::new(folder.path(), name), Err(WalletError::BadName { .. })), "{name:?}");
    }
    let wallet = Wallet::new(folder.path(), "w").unwrap();
    let read = |name| wallet.read(Slot::Hotkey(name), &Passwords::none());
    assert!(matches!(read("../../etc/passwd"), Err(WalletError::BadName { .. })));
    assert!(matches!(read("absent"), Err(WalletError::Missing { .. })));
    assert!(wallet.hotkeys().unwrap().is_empty());
}
