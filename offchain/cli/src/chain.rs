// SPDX-License-Identifier: Apache-2.0
//! Flags that name a chain, a subnet and a key; tools for a chain's runtime.

mod params;
mod tools;

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use clawrank_client::{Chain, ChainConfig, ChainPort, ClientError};
use clawrank_protocol::proof::Keypair;
use clawrank_wallet::{Passwords, Slot, Wallet, WalletError, keypair_from_uri};
use secrecy::SecretString;
use toml::{Table, Value};

use crate::{error::CliError, prompt};
pub(crate) use tools::{ChainCommand, run};

/// Where the settings of a role come from.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigArgs {
    /// TOML file with the role's settings, at top level or under [role].
    #[arg(long, short, value_name = "FILE", env = "CLAWRANK_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Sets one key, as in `--set probe_interval_ms=30000`; nested keys with a dot. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Which chain and subnet.
#[derive(Clone, Debug, Args)]
pub(crate) struct NetworkArgs {
    /// finney, test, archive, local, or a ws:// or wss:// address; several, parted by commas, fail over in order.
    #[arg(long, env = "CLAWRANK_NETWORK", default_value = "finney", value_name = "NETWORK")]
    pub(crate) network: String,
    /// The subnet. Default 92.
    #[arg(long, env = "CLAWRANK_NETUID")]
    netuid: Option<u16>,
}

impl NetworkArgs {
    /// The subnet, for what reads no file of settings.
    pub(crate) fn netuid(&self) -> u16 {
        self.netuid.unwrap_or(92)
    }

    /// The subnet where it was named: it goes before the file's.
    pub(crate) fn named_netuid(&self) -> Option<i64> {
        self.netuid.map(i64::from)
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] for an unknown network, [`CliError::Work`] when no node answers.
    pub(crate) async fn connect(&self) -> Result<Arc<dyn ChainPort>, CliError> {
        Ok(Arc::new(connect(&ChainConfig::on(&self.network)).await?))
    }
}

async fn connect(config: &ChainConfig) -> Result<Chain, CliError> {
    Chain::connect(config).await.map_err(client_error)
}

/// What of the client is the user's to correct, and what is not.
fn client_error(error: ClientError) -> CliError {
    match error {
        ClientError::Config { field, why } => CliError::input("--network", format!("{field} {why}")),
        ClientError::Argument { field, why, .. } => CliError::input(field, why),
        other => CliError::work(&other),
    }
}

/// Which key signs.
#[derive(Clone, Debug, Args)]
pub(crate) struct WalletArgs {
    /// Folder of wallets.
    #[arg(long, env = "BT_WALLET_PATH", default_value = "~/.bittensor/wallets", value_name = "DIR")]
    pub(crate) wallet_path: String,
    /// Name of the wallet.
    #[arg(long = "wallet-name", aliases = ["wallet.name", "wallet"], env = "BT_WALLET_NAME", default_value = "default")]
    pub(crate) wallet_name: String,
    /// Name of the hotkey in the wallet.
    #[arg(long = "wallet-hotkey", alias = "wallet.hotkey", env = "BT_WALLET_HOTKEY", default_value = "default")]
    pub(crate) wallet_hotkey: String,
    /// A development key instead of a wallet, as `//Alice` or `//miner//0`. Its secret is public: local chains only.
    #[arg(long, env = "CLAWRANK_DEV_KEY", value_name = "URI")]
    pub(crate) dev_key: Option<String>,
    /// File with the password of an encrypted key; else BT_WALLET_PASSWORD, the key's own BT_PW_.. variable, the file
    /// that BT_WALLET_PASSWORD_FILE names, or the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

impl WalletArgs {
    /// The hotkey that these flags name.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] naming the flag or the file.
    pub(crate) fn hotkey(&self) -> Result<Keypair, CliError> {
        self.key(Slot::Hotkey(&self.wallet_hotkey))
    }

    /// The coldkey of the wallet that these flags name; with --dev-key, that very key.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] naming the flag or the file.
    pub(crate) fn coldkey(&self) -> Result<Keypair, CliError> {
        self.key(Slot::Coldkey)
    }

    fn key(&self, slot: Slot<'_>) -> Result<Keypair, CliError> {
        if let Some(uri) = &self.dev_key {
            if !uri.starts_with("//") {
                return Err(CliError::input(
                    "--dev-key",
                    "must start with `//`; a real key belongs into a wallet file",
                ));
            }
            return keypair_from_uri(&uri.as_str().into()).map_err(|e| CliError::input("--dev-key", e.to_string()));
        }
        self.wallet()?.read(slot, &self.passwords()?).map_err(wallet_error)
    }

    /// Where passwords of encrypted keys come from.
    ///
    /// # Errors
    ///
    /// [`CliError::Input`] for a password file that cannot be used.
    pub(crate) fn passwords(&self) -> Result<Passwords, CliError> {
        self.passwords_or(prompt::password)
    }

    /// As [`passwords`](Self::passwords), asking in another way.
    pub(crate) fn passwords_or(
        &self,
        ask: impl Fn(&Path) -> io::Result<SecretString> + Send + Sync + 'static,
    ) -> Result<Passwords, CliError> {
        let mut passwords = Passwords::from_environment();
        if let Some(file) = &self.password_file {
            passwords = passwords.or_first_file(file).map_err(|e| CliError::input("--password-file", e.to_string()))?;
        }
        Ok(if io::stdin().is_terminal() { passwords.or_ask(ask) } else { passwords })
    }

    /// The wallet that these flags name; nothing is read.
    pub(crate) fn wallet(&self) -> Result<Wallet, CliError> {
        Wallet::new(expand(&self.wallet_path), &self.wallet_name).map_err(wallet_error)
    }
}

/// Wallet errors name their file or name themselves.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn wallet_error(error: WalletError) -> CliError {
    CliError::input("wallet", error.to_string())
}

/// `~` at the start is the home folder.
pub(crate) fn expand(path: &str) -> PathBuf {
    match path.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(path),
    }
}

/// Puts a flag that was given into the table of flags.
pub(crate) fn flag<V: Into<Value>>(table: &mut Table, key: &str, value: Option<V>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), value.into());
    }
}
