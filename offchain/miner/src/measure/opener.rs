// SPDX-License-Identifier: Apache-2.0

//! Opens leaves of committed bundles: the connection over which a gateway asks, and the shelf of what can be opened.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use clawrank_primitives::proof::{Attempt, Hash, Keypair, Opening, merkle::MerkleTree};
use clawrank_protocol::frames::{GatewayFrame, MinerFrame, Open, Opened, OpenedLeaf, Role};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    Config, EpochFolder, Record, Salts,
    bundle::order,
    folder::{self, EPOCHS},
};
use crate::{
    Backoff, Error, LinkError,
    durable::io_error,
    link::{self, Expected, Introduction, Link, LinkWriter},
};

/// Bundles that are kept in memory at a time.
const IN_MEMORY: usize = 2;

/// Deadline for connecting to the gateway.
const CONNECT: Duration = Duration::from_secs(10);

/// A bundle that can be opened.
struct Openable {
    attempts: Vec<Attempt>,
    records: Vec<Record>,
    tree: MerkleTree,
    salts: Salts,
}

impl Openable {
    fn load(path: &Path) -> Result<Self, Error> {
        let damaged = |problem: &str| Error::Damaged { path: path.to_owned(), problem: problem.to_owned() };
        let bundle = folder::bundle(path)?.ok_or_else(|| damaged("the bundle is gone"))?;
        let mut records = folder::records(path)?;
        order(&mut records);
        if records.len() != bundle.attempts.len() {
            return Err(damaged("the log has other attempts than the bundle"));
        }
        let tree = MerkleTree::new(bundle.attempts.iter().map(Attempt::leaf).collect())?;
        Ok(Self { attempts: bundle.attempts, records, tree, salts: folder::salts(path)? })
    }

    fn open(&self, leaf: u32) -> Option<Opening> {
        let position = usize::try_from(leaf).ok()?;
        let (attempt, record) = (self.attempts.get(position)?, self.records.get(position)?);
        let (request_salt, response_salt) = self.salts.of(&attempt.cell, record.index);
        Some(Opening {
            index: leaf,
            attempt: attempt.clone(),
            proof: self.tree.prove(leaf).ok()?,
            request_salt,
            response_salt,
            request: record.request.clone(),
            response: record.response.clone(),
        })
    }
}

struct Contents {
    folders: BTreeMap<Hash, PathBuf>,
    loaded: Vec<(Hash, Arc<Openable>)>,
}

/// The bundles of the data folder, by root. Clones share it.
#[derive(Clone)]
pub struct Shelf {
    epochs: PathBuf,
    contents: Arc<Mutex<Contents>>,
}

impl Shelf {
    /// Finds the bundles in a data folder.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn open(data_dir: &Path) -> Result<Self, Error> {
        let epochs = data_dir.join(EPOCHS);
        crate::durable::create_folder(&epochs)?;
        let contents = Contents { folders: BTreeMap::new(), loaded: Vec::new() };
        let shelf = Self { epochs, contents: Arc::new(Mutex::new(contents)) };
        for path in shelf.folders()? {
            shelf.put_path(&path)?;
        }
        Ok(shelf)
    }

    /// Adds the bundle of an epoch's folder, if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn put(&self, folder: &EpochFolder) -> Result<(), Error> {
        self.put_path(folder.path())
    }

    fn put_path(&self, path: &Path) -> Result<(), Error> {
        if let Some(bundle) = folder::bundle(path)? {
            let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
            contents.folders.insert(bundle.header.root, path.to_owned());
        }
        Ok(())
    }

    /// Openings of leaves of a bundle; none for a root that is not here, and leaves that it has not are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn openings(&self, root: &Hash, leaves: &[u32]) -> Result<Vec<Opening>, Error> {
        let Some(openable) = self.load(root)? else {
            return Ok(Vec::new());
        };
        Ok(leaves.iter().filter_map(|leaf| openable.open(*leaf)).collect())
    }

    fn load(&self, root: &Hash) -> Result<Option<Arc<Openable>>, Error> {
        let path = {
            let contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, openable)) = contents.loaded.iter().find(|(known, _)| known == root) {
                return Ok(Some(Arc::clone(openable)));
            }
            match contents.folders.get(root) {
                Some(path) => path.clone(),
                None => return Ok(None),
            }
        };
        let openable = Arc::new(Openable::load(&path)?);
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        contents.loaded.insert(0, (*root, Arc::clone(&openable)));
        contents.loaded.truncate(IN_MEMORY);
        Ok(Some(openable))
    }

    /// Deletes all but the newest `keep` epochs, by the age of their secrets.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn prune(&self, keep: u32) -> Result<(), Error> {
        let made = |path: &PathBuf| fs::metadata(path.join("secret")).and_then(|secret| secret.modified());
        let mut folders: Vec<(SystemTime, PathBuf)> =
            self.folders()?.into_iter().map(|path| (made(&path).unwrap_or(SystemTime::UNIX_EPOCH), path)).collect();
        folders.sort();
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let old = folders.len().saturating_sub(keep);
        for (_, path) in folders.into_iter().take(old) {
            let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
            let gone: Vec<Hash> =
                contents.folders.iter().filter(|(_, known)| **known == path).map(|(root, _)| *root).collect();
            for root in gone {
                contents.folders.remove(&root);
                contents.loaded.retain(|(known, _)| *known != root);
            }
            drop(contents);
            fs::remove_dir_all(&path).map_err(io_error(&path))?;
        }
        Ok(())
    }

    fn folders(&self) -> Result<Vec<PathBuf>, Error> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(&self.epochs).map_err(io_error(&self.epochs))? {
            let entry = entry.map_err(io_error(&self.epochs))?;
            if entry.file_name().to_string_lossy().starts_with("epoch-") {
                folders.push(entry.path());
            }
        }
        folders.sort();
        Ok(folders)
    }
}

/// Stays connected to the gateway and answers `open` frames from the shelf, until `cancel`.
///
/// # Errors
///
/// [`Error::Config`] for an unusable URL; [`Error::Link`] when the gateway refuses this miner for good, or is not the
/// configured one.
pub async fn run(
    config: Config,
    keypair: Arc<Keypair>,
    genesis: Hash,
    shelf: Shelf,
    cancel: CancellationToken,
) -> Result<(), Error> {
    let unusable = |problem: String| Error::Config { field: "gateway_url", problem };
    let base = Url::parse(&config.gateway_url).map_err(|error| unusable(error.to_string()))?;
    let url = link::miner_url(&base).ok_or_else(|| unusable("use http or https".to_owned()))?;
    let expected = Expected {
        gateway: config.gateway_hotkey.map(|hotkey| hotkey.0),
        genesis: Some(genesis),
        netuid: Some(config.netuid),
    };
    let introduction = Introduction { role: Role::Measure, models: Vec::new(), agent: crate::AGENT.to_owned() };
    let mut backoff =
        Backoff::new(Duration::from_millis(config.reconnect_min_ms), Duration::from_millis(config.reconnect_max_ms));
    loop {
        let session = async {
            let linked = link::connect(&url, &keypair, &expected, introduction.clone(), CONNECT).await?;
            backoff.reset();
            answer(linked, &shelf).await
        };
        let error = tokio::select! {
            ended = session => match ended {
                Err(error) => error,
                Ok(never) => match never {},
            },
            () = cancel.cancelled() => return Ok(()),
        };
        if !error.is_retryable() {
            return Err(error.into());
        }
        let delay = backoff.next_delay();
        tracing::warn!(%error, retry_ms = delay.as_millis(), "no connection for openings");
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = cancel.cancelled() => return Ok(()),
        }
    }
}

async fn answer(linked: Link, shelf: &Shelf) -> Result<std::convert::Infallible, LinkError> {
    let Link { challenge, welcome, mut reader, mut writer } = linked;
    tracing::info!(gateway = %challenge.gateway, session = welcome.session, "ready to open bundles");
    loop {
        match reader.next().await? {
            GatewayFrame::Ping { n } => writer.send(&MinerFrame::Pong { n }).await?,
            GatewayFrame::Open(open) => {
                let (shelf, root, leaves) = (shelf.clone(), open.root.0, open.leaves.clone());
                let opened = tokio::task::spawn_blocking(move || shelf.openings(&root, &leaves)).await;
                let openings = match opened {
                    Ok(Ok(openings)) => openings,
                    Ok(Err(error)) => {
                        tracing::error!(%error, root = %open.root, "a bundle cannot be opened");
                        Vec::new()
                    }
                    Err(_) => Vec::new(),
                };
                tracing::info!(root = %open.root, asked = open.leaves.len(), opened = openings.len(), "opened leaves");
                send(&mut writer, &open, openings, welcome.max_frame_bytes).await?;
            }
            other => tracing::debug!(kind = link::name(&other), "skipped a frame that an intel miner has no use for"),
        }
    }
}

/// Sends openings in as many frames as their texts need.
async fn send(
    writer: &mut LinkWriter,
    open: &Open,
    openings: Vec<Opening>,
    max_frame_bytes: u64,
) -> Result<(), LinkError> {
    let max = usize::try_from(max_frame_bytes).unwrap_or(usize::MAX);
    let (mut frame, mut length) = (Vec::new(), 0usize);
    let mut frames: Vec<Vec<OpenedLeaf>> = Vec::new();
    for opening in openings {
        let own = encoded_length(&opening);
        if !frame.is_empty() && length.saturating_add(own) > max {
            frames.push(std::mem::take(&mut frame));
            length = 0;
        }
        length = length.saturating_add(own);
        frame.push(OpenedLeaf::from(opening));
    }
    frames.push(frame);
    let last = frames.len().saturating_sub(1);
    for (position, openings) in frames.into_iter().enumerate() {
        let opened = Opened { id: open.id, openings, more: position < last };
        writer.send(&MinerFrame::Opened(opened)).await?;
    }
    Ok(())
}

/// Upper bound of an opening's length in a frame: base64 of both texts, digits of the rest, names and quotes.
fn encoded_length(opening: &Opening) -> usize {
    let texts = opening.request.len().saturating_add(opening.response.len());
    let digits = opening.proof.path.len().saturating_mul(70).saturating_add(Attempt::ENCODED_LEN.saturating_mul(2));
    texts.saturating_mul(4).div_ceil(3).saturating_add(digits).saturating_add(512)
}
