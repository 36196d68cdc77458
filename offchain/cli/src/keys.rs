// SPDX-License-Identifier: Apache-2.0
//! `clawrank keys`: wallets in Bittensor's format, and API keys of a gateway.

mod api;
mod wallets;

use clap::Subcommand;

use crate::{error::CliError, output::Output};

/// Wallets and API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes a key in a wallet, with a mnemonic that is shown once: a hotkey, or the coldkey with --coldkey.
    #[command(
        after_help = "A coldkey is encrypted unless --plain is given, a hotkey only with --encrypt. The password comes \
                            from --password-file, BT_WALLET_PASSWORD, or the terminal. A worker that runs unattended \
                            with an encrypted hotkey reads its password from the same places."
    )]
    New(wallets::NewArgs),
    /// Writes a known key into a wallet, from a mnemonic, a seed or a key file.
    #[command(
        after_help = "Without a file, the mnemonic or seed is asked for at the terminal. Secrets are never taken as \
                            arguments, which other users of the machine can see."
    )]
    Import(wallets::ImportArgs),
    /// Shows the address of a key.
    Show(wallets::ShowArgs),
    /// Lists wallets and their keys, how each is protected, and what is wrong with it.
    List(wallets::ListArgs),
    /// Encrypts a key's file, or changes its password with --new-password-file.
    Encrypt(wallets::EncryptArgs),
    /// Writes a key's file without encryption, readable by its owner only.
    Decrypt(wallets::WhichArgs),
    /// Writes wallets of the development keys that `clawrank-node chain-spec` registers. Local chains only.
    Dev(wallets::DevArgs),
    /// Manages the API keys of a gateway's callers. The gateway may be running.
    #[command(subcommand)]
    Api(api::ApiCommand),
}

/// Runs the subcommand.
///
/// # Errors
///
/// [`CliError::Input`] naming flag or file; [`CliError::Work`] when wallet or ledger cannot be written.
pub(crate) async fn run(command: KeysCommand, output: Output) -> Result<(), CliError> {
    match command {
        KeysCommand::New(args) => wallets::new(&args, output),
        KeysCommand::Import(args) => wallets::import(&args, output),
        KeysCommand::Show(args) => wallets::show(&args, output),
        KeysCommand::List(args) => wallets::list(&args, output),
        KeysCommand::Encrypt(args) => wallets::encrypt(&args, output),
        KeysCommand::Decrypt(args) => wallets::decrypt(&args, output),
        KeysCommand::Dev(args) => wallets::dev(&args, output),
        KeysCommand::Api(command) => api::run(command, output).await,
    }
}
