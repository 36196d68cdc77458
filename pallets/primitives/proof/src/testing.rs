// SPDX-License-Identifier: Apache-2.0

//! Values that several tests build on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use alloc::{vec, vec::Vec};

use clawrank_units::MicroUsd;

use crate::{
    AnswerVerdict, Attempt, AttemptStatus, Bundle, Cell, Hash, HotkeyId, SchemaVerdict, SignalEntry, SubnetEpoch,
    blake2_256,
};

pub(crate) fn cell(index: u32) -> Cell {
    Cell::new("model-a", &alloc::format!("provider:{index}"), "chat").unwrap()
}

pub(crate) fn attempt(sequence: u32, cell: Hash) -> Attempt {
    let digest = blake2_256(&sequence.to_le_bytes());
    Attempt {
        cell,
        sequence,
        task_id: blake2_256(&digest),
        request_hash: digest,
        response_hash: blake2_256(&[digest, digest].concat()),
        start_ms: 1_700_000_000_000 + u64::from(sequence) * 40,
        ttft_ms: 200 + u32::from(digest[0]),
        total_ms: 900 + 4 * u32::from(digest[0]) + u32::from(digest[1]),
        input_tokens: 50,
        output_tokens: 60 + u32::from(digest[2]),
        status: if digest[3] < 250 { AttemptStatus::Ok } else { AttemptStatus::Timeout },
        schema: if digest[4] & 1 == 0 { SchemaVerdict::Valid } else { SchemaVerdict::NotChecked },
        answer: if digest[5] & 1 == 0 { AnswerVerdict::Right } else { AnswerVerdict::NotChecked },
        cost: MicroUsd(u64::from(digest[6])),
    }
}

pub(crate) fn subject() -> SubnetEpoch {
    SubnetEpoch { genesis: [7; 32], netuid: 92, mecid: 1, epoch: 41 }
}

/// An unsigned bundle of `attempts` attempts that take turns over `cells` cells.
pub(crate) fn bundle(hotkey: HotkeyId, attempts: u32, cells: u32) -> Bundle {
    let cells: Vec<Cell> = (0..cells).map(cell).collect();
    let ids: Vec<Hash> = cells.iter().map(Cell::id).collect();
    let attempts = (0..attempts).map(|i| attempt(i, ids[i as usize % ids.len()])).collect();
    let signal = vec![SignalEntry {
        model: cells[0].model.clone(),
        task_type: cells[0].task_type.clone(),
        endpoints: vec![cells[0].endpoint.clone()],
    }];
    Bundle::assemble(hotkey, subject(), attempts, cells, signal).unwrap()
}
