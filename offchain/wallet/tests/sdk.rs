// SPDX-License-Identifier: Apache-2.0
//! Wallets go both ways between here and the real SDK: `bittensor-wallet` (SDK 10), and `bittensor-core` and `bittensor`
//! itself (SDK 11).
//!
//! The packages are fetched once, into a folder of the user's cache. Where that fails the test says so on standard error and
//! passes; `CLAWRANK_REQUIRE_SDK=1` makes it fail instead.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use clawrank_wallet::{
    Origin, Overwrite, PASSWORD_ENV, PASSWORD_FILE_ENV, Passwords, Protection, Slot, Wallet, generate_mnemonic,
    hide_password, keypair_from_uri, password_variable,
    proof::{Keypair, ss58, verify},
    read_keyfile,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const PACKAGES: [&str; 2] = ["bittensor-wallet==4.1.1", "bittensor-core==0.1.5"];
const VENV: &str = "wallet-4.1.1-core-0.1.5";

/// SDK 11 with its `Wallet`, in the place where scripts/lib/sdk.sh has it.
const ELEVEN: (&str, &str) = ("bittensor==11.3.0", "sdk-11.3.0");

fn cache() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CLAWRANK_CACHE").or_else(|| {
        set("XDG_CACHE_HOME")
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))
            .map(|dir| dir.join("clawrank"))
    })
}

fn run(command: &mut Command) -> Result<(), String> {
    let done = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    let tail = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned();
    if done.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", tail(&done.stderr))) }
}

/// The interpreter that has the SDK's packages; tests that run together make it once.
fn python() -> Result<PathBuf, String> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    MADE.get_or_init(make_python).clone()
}

fn make_python() -> Result<PathBuf, String> {
    let venv = cache().ok_or("no home folder")?.join(VENV);
    let python = venv.join("bin").join("python");
    if !venv.join("ready").exists() {
        let _ = fs::remove_dir_all(&venv);
        fs::create_dir_all(&venv).map_err(|e| format!("{}: {e}", venv.display()))?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--timeout=20",
                "--retries=1",
            ])
            .args(PACKAGES))?;
        fs::write(venv.join("ready"), "").map_err(|e| e.to_string())?;
    }
    Ok(python)
}

/// The interpreter that has SDK 11 as a whole.
fn python_of_eleven() -> Result<PathBuf, String> {
    let venv = cache().ok_or("no home folder")?.join(ELEVEN.1);
    let python = venv.join("bin").join("python");
    if run(Command::new(&python).args(["-c", "import bittensor"])).is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--timeout=20", "--retries=1"])
            .arg(ELEVEN.0))?;
    }
    Ok(python)
}

/// Straight to standard error, which the test runner does not swallow.
fn skip(why: &str) {
    assert!(env::var_os("CLAWRANK_REQUIRE_SDK").is_none(), "the SDK cannot be had: {why}");
    let bar = "!".repeat(100);
    let _ = writeln!(std::io::stderr(), "\n{bar}\nSKIPPED: wallets were not tested with the real SDK: {why}\n{bar}");
}

fn sdk(python: &Path, arguments: &[&str], input: &Value, variables: &[(String, String)]) -> Value {
    script(python, "sdk.py", arguments, input, variables)
}

fn script(python: &Path, name: &str, arguments: &[&str], input: &Value, variables: &[(String, String)]) -> Value {
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name))
        .args(arguments)
        .env_remove(PASSWORD_ENV)
        .env_remove(PASSWORD_FILE_ENV)
        .envs(variables.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn wallets_go_both_ways_when_written_by_us_or_by_the_sdk() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return skip(&why),
    };
    let folder = tempfile::tempdir().unwrap();

    // Theirs.
    let theirs = sdk(&python, &["write", folder.path().to_str().unwrap()], &Value::Null, &[]);
    let message = hex::decode(text(&theirs["message"])).unwrap();
    let keys = theirs["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 5);
    for key in keys {
        let passwords = match key["password"].as_str() {
            Some(password) => Passwords::none().or_first(password.into()),
            None => Passwords::none(),
        };
        let pair = read_keyfile(text(&key["path"]), &passwords).unwrap_or_else(|e| panic!("{key}: {e}"));
        assert_eq!(ss58::encode(&pair.public()), text(&key["ss58"]), "{key}");
        let signature = hex::decode(text(&key["signature"])).unwrap().try_into().unwrap();
        verify(&pair.public(), &message, &signature).unwrap();
    }
    let ten = Wallet::new(folder.path(), "ten").unwrap();
    assert_eq!(ss58::encode(&ten.public(Slot::Coldkey).unwrap()), text(&keys[0]["ss58"]));
    assert_eq!(ten.hotkeys().unwrap(), ["plain", "vault"]);
    // Their variable, and its value.
    let variable = &theirs["variable"];
    assert_eq!(password_variable(Path::new(text(&variable["path"]))), text(&variable["name"]));
    let (name, value) = (text(&variable["name"]).to_owned(), text(&variable["value"]).to_owned());
    let passwords = Passwords::from_lookup(move |asked| (asked == name).then(|| value.clone()));
    read_keyfile(text(&variable["path"]), &passwords).unwrap();

    // Ours.
    let wallet = Wallet::new(folder.path(), "ours").unwrap();
    let password = SecretString::from("another 7 horses");
    let sealed = Protection::Password(password.clone());
    let seed = Origin::Seed("11".repeat(32).into());
    let derived = Origin::Key(keypair_from_uri(&"//miner//3".into()).unwrap());
    let ours: Vec<Value> = [
        (Slot::Coldkey, Origin::Mnemonic(generate_mnemonic(false).unwrap()), &sealed),
        (Slot::Hotkey("long"), Origin::Mnemonic(generate_mnemonic(true).unwrap()), &Protection::Plain),
        (Slot::Hotkey("seed"), seed, &Protection::Plain),
        (Slot::Hotkey("derived"), derived, &Protection::Plain),
    ]
    .into_iter()
    .map(|(slot, origin, protection)| {
        let made = wallet.write(slot, &origin, protection, Overwrite::Never).unwrap();
        let pair = wallet.read(slot, &Passwords::none().or_first(password.clone())).unwrap();
        assert_eq!(pair.public(), made.public);
        let encrypted = matches!(protection, Protection::Password(_));
        json!({
            "path": made.path,
            "ss58": ss58::encode(&made.public),
            "password": encrypted.then(|| password.expose_secret().to_owned()),
            "variable": encrypted,
            "message": hex::encode(&message),
            "signature": hex::encode(pair.sign(&message)),
        })
    })
    .collect();
    let variable = password_variable(&wallet.path(Slot::Coldkey).unwrap());
    let hidden = hide_password(&variable, &password).expose_secret().to_owned();
    let read = sdk(&python, &["read"], &Value::from(ours.clone()), &[(variable, hidden)]);
    for (ours, read) in ours.iter().zip(read.as_array().unwrap()) {
        assert!(read["ss58"].as_array().unwrap().iter().all(|address| address == &ours["ss58"]), "{ours}: {read}");
        assert!(read["verified"].as_array().unwrap().iter().all(|held| held == &json!(true)), "{ours}: {read}");
    }
    assert_eq!(read.as_array().unwrap().len(), 4);
}

/// A wallet of ours whose two keys are encrypted, opened by the `Wallet` of either SDK.
#[test]
fn encrypted_hotkey_opens_in_the_sdks_wallet_when_written_by_us() {
    let mut generations = Vec::new();
    for (is_eleven, found) in [(false, python()), (true, python_of_eleven())] {
        match found {
            Ok(python) => generations.push((is_eleven, python)),
            Err(why) => skip(&why),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::new(folder.path(), "ours").unwrap();
    let password = "another 7 horses, übung";
    let ours = SecretString::from(password);
    let (message, slot) = (b"who is asked signs", Slot::Hotkey("sealed"));
    let write = |slot, uri: &str| {
        let pair = keypair_from_uri(&uri.into()).unwrap();
        let sealed = Protection::Password(ours.clone());
        wallet.write(slot, &Origin::Key(pair.clone()), &sealed, Overwrite::Never).unwrap();
        pair
    };
    let (coldkey, hotkey) = (write(Slot::Coldkey, "//owner//9"), write(slot, "//miner//9"));
    let variable = password_variable(&wallet.path(slot).unwrap());
    let hidden = hide_password(&variable, &ours).expose_secret().to_owned();
    let asked = |password: Option<&str>| {
        json!({
            "path": folder.path(), "name": "ours", "hotkey": "sealed", "password": password,
            "message": hex::encode(message), "signature": hex::encode(hotkey.sign(message)),
            "coldkey": hex::encode(coldkey.sign(message)),
        })
    };
    let check = |opened: &Value, pair: &Keypair| {
        assert_eq!(opened["ss58"], json!(ss58::encode(&pair.public())), "{opened}");
        assert_eq!(opened["verified"], json!(true));
        let signature = hex::decode(text(&opened["signature"])).unwrap().try_into().unwrap();
        verify(&pair.public(), message, &signature).unwrap();
    };
    for (is_eleven, python) in generations {
        let open = |password: Option<&str>, variables: &[(String, String)]| {
            script(&python, "wallet.py", &["open"], &asked(password), variables)
        };
        // Each opening takes seconds, as it is meant to: no more of them than needed.
        check(&open(None, &[(variable.clone(), hidden.clone())])["hotkey"], &hotkey);
        if !is_eleven {
            check(&open(Some(password), &[])["hotkey"], &hotkey);
            continue;
        }
        let refused = open(Some("another 8 horses"), &[]);
        assert!(refused["refused"].as_str().is_some_and(|why| why.contains("wrong password")), "{refused}");
        // One variable for all keys, which SDK 10 has not: theirs and ours mean the same by it.
        let shared = [(PASSWORD_ENV.to_owned(), password.to_owned())];
        let opened = open(None, &shared);
        check(&opened["hotkey"], &hotkey);
        check(&opened["coldkey"], &coldkey);
        let asked = json!({ "path": folder.path(), "name": "theirs", "hotkey": "sealed" });
        let made = script(&python, "wallet.py", &["make"], &asked, &shared);
        let theirs = Wallet::new(folder.path(), "theirs").unwrap();
        let passwords = Passwords::from_lookup(move |name| (name == PASSWORD_ENV).then(|| password.to_owned()));
        for (slot, address) in [(Slot::Coldkey, &made["coldkey"]), (slot, &made["hotkey"])] {
            assert_eq!(ss58::encode(&theirs.read(slot, &passwords).unwrap().public()), text(address));
            assert!(theirs.read(slot, &Passwords::none()).is_err(), "it is encrypted");
        }
    }
}
