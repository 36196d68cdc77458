// SPDX-License-Identifier: Apache-2.0

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use clawrank_proof::{HotkeyId, Keypair, ss58};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{WalletError, uri::seed_of_phrase};

/// Whether an existing key file may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it and fail.
    #[default]
    Never,
    /// Replace it. The old key is gone for good.
    Replace,
}

/// A key that was just written.
#[derive(Debug)]
pub struct NewKey {
    /// Its file.
    pub path: PathBuf,
    /// Its public key.
    pub public: HotkeyId,
    /// The words it can be restored from; to be shown once.
    pub mnemonic: SecretString,
}

/// Twelve words from the operating system's randomness.
///
/// # Errors
///
/// [`WalletError::NoRandomness`].
pub fn generate_mnemonic() -> Result<SecretString, WalletError> {
    let mut entropy = Zeroizing::new([0u8; 16]);
    getrandom::fill(entropy.as_mut_slice()).map_err(|_| WalletError::NoRandomness)?;
    let mnemonic = bip39::Mnemonic::from_entropy_in(bip39::Language::English, entropy.as_slice())
        .map_err(|_| WalletError::NoRandomness)?;
    Ok(SecretString::from(mnemonic.to_string()))
}

/// Writes a key file and the file of its public half.
pub(super) fn create(path: &Path, mnemonic: SecretString, overwrite: Overwrite) -> Result<NewKey, WalletError> {
    let seed = seed_of_phrase(mnemonic.expose_secret(), "")?;
    let key = Keypair::from_mini_secret(&seed)?;
    let words =
        Zeroizing::new(mnemonic.expose_secret().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    let secrets = Zeroizing::new(format!(
        r#""secretPhrase":"{}","secretSeed":"0x{}""#,
        *words,
        *Zeroizing::new(hex::encode(seed.as_slice())),
    ));
    write_key(path, key.public(), &secrets, overwrite)?;
    Ok(NewKey { path: path.to_owned(), public: key.public(), mnemonic })
}

/// Writes a key that has no words of its own: a derived one.
pub(super) fn save(path: &Path, key: &Keypair, overwrite: Overwrite) -> Result<(), WalletError> {
    let secret = Zeroizing::new(key.to_expanded_secret());
    let secrets = Zeroizing::new(format!(r#""privateKey":"0x{}""#, *Zeroizing::new(hex::encode(secret.as_slice()))));
    write_key(path, key.public(), &secrets, overwrite)
}

/// `secrets` are members of a JSON object: hexadecimal, base58 or words of a fixed list, so none needs escaping.
fn write_key(path: &Path, public: HotkeyId, secrets: &str, overwrite: Overwrite) -> Result<(), WalletError> {
    let (hex_key, address) = (hex::encode(public), ss58::encode(&public));
    let known =
        format!(r#""accountId":"0x{hex_key}","publicKey":"0x{hex_key}","ss58Address":"{address}","cryptoType":1"#);
    let text = Zeroizing::new(format!("{{{known},{secrets}}}"));
    write_private(path, text.as_bytes(), overwrite)?;
    let mut public_path = path.as_os_str().to_owned();
    public_path.push("pub.txt");
    // The private half is there now; a stale public half must not stay beside it.
    write_private(Path::new(&public_path), format!("{{{known}}}").as_bytes(), Overwrite::Replace)
}

/// Writes a file that only its owner can read, whole or not at all, and on disk before this returns.
fn write_private(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), WalletError> {
    let io = |source| WalletError::Io { path: path.to_owned(), source };
    let folder = path.parent().ok_or(WalletError::NoHome)?;
    create_private_folder(folder).map_err(io)?;
    let mut suffix = [0u8; 8];
    getrandom::fill(&mut suffix).map_err(|_| WalletError::NoRandomness)?;
    let temporary = folder.join(format!(".{}.tmp", hex::encode(suffix)));
    let written = write_new(&temporary, bytes).and_then(|()| match overwrite {
        Overwrite::Replace => fs::rename(&temporary, path),
        // A link fails where the name is taken, which a rename does not.
        Overwrite::Never => fs::hard_link(&temporary, path),
    });
    let kept = overwrite == Overwrite::Replace && written.is_ok();
    if !kept {
        fs::remove_file(&temporary).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(io(error)),
        })?;
    }
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(WalletError::Exists { path: path.to_owned() });
        }
        other => other.map_err(io)?,
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
