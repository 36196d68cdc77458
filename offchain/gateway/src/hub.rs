// SPDX-License-Identifier: Apache-2.0

//! The connected miners. One task per connection; requests reach it through its [`Session`].

mod connection;
mod handshake;
mod session;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use clawrank_protocol::{
    frames::{RefusalCode, Role},
    proof::HotkeyId,
};
use tokio::sync::Notify;

use crate::quota::Counter;

pub(crate) use connection::serve;
pub(crate) use session::{Call, Ended, Event, Offer, Session, StartError, Work, model_key};

/// All sessions.
#[derive(Debug)]
pub(crate) struct Hub {
    sessions: RwLock<HashMap<u64, Arc<Session>>>,
    next: AtomicU64,
    /// Names of models, shared by all sessions that offer them.
    names: Mutex<HashMap<Box<str>, Arc<str>>>,
    /// Wakes whoever rebuilds the routing table.
    pub(crate) changed: Notify,
    pub(crate) per_address: Arc<Counter<IpAddr>>,
    pub(crate) per_hotkey: Arc<Counter<HotkeyId>>,
}

impl Hub {
    pub(crate) fn new(max_per_address: usize, max_per_hotkey: usize) -> Self {
        Self {
            sessions: RwLock::default(),
            next: AtomicU64::new(1),
            names: Mutex::default(),
            changed: Notify::new(),
            per_address: Counter::new(max_per_address),
            per_hotkey: Counter::new(max_per_hotkey),
        }
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn add(&self, session: Arc<Session>) {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).insert(session.id, session);
        self.changed.notify_one();
    }

    fn remove(&self, id: u64) {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.changed.notify_one();
    }

    /// One copy of each name, however many miners offer the model.
    pub(crate) fn name(&self, text: &str) -> Arc<str> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(text) {
            return Arc::clone(name);
        }
        if names.len() >= 4_096 {
            names.retain(|_, name| Arc::strong_count(name) > 1);
        }
        let name: Arc<str> = Arc::from(text);
        names.insert(Box::from(text), Arc::clone(&name));
        name
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Session>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All sessions, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The sessions of a hotkey, those of `first` role before the others, newest first.
    pub(crate) fn of_hotkey(&self, hotkey: &HotkeyId, first: Role) -> Vec<Arc<Session>> {
        let mut found: Vec<_> = {
            let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
            sessions.values().filter(|session| session.hotkey == *hotkey && !session.is_leaving()).cloned().collect()
        };
        found.sort_by_key(|session| (session.role != first, core::cmp::Reverse(session.id)));
        found
    }

    /// Ends the sessions of hotkeys that are no longer registered.
    pub(crate) fn retain(&self, keep: impl Fn(&HotkeyId) -> bool) {
        for session in self.all().into_iter().filter(|session| !keep(&session.hotkey)) {
            session.close(RefusalCode::Unregistered, "hotkey is no longer registered on the subnet");
        }
    }

    pub(crate) fn close_all(&self) {
        for session in self.all() {
            session.close(RefusalCode::Shutdown, "gateway is shutting down; connect again later");
        }
    }
}
