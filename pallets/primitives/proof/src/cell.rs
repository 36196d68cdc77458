// SPDX-License-Identifier: Apache-2.0

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Hash, ProofError, Text, blake2_256};

/// Name of a model, for example `gpt-4o-mini`.
pub type ModelName = Text<96>;

/// Name of a provider's endpoint, for example `openrouter:deepinfra`.
pub type EndpointName = Text<128>;

/// Name of a kind of task, for example `chat` or `json`.
pub type TaskType = Text<32>;

/// What telemetry is about: a model, served by an endpoint, for a kind of task (rules §2.1).
///
/// [`Cell::new`] normalises. A decoded cell is as it was sent: check [`Cell::is_normalised`] before trusting its id.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cell {
    /// Model.
    pub model: ModelName,
    /// Endpoint of a provider.
    pub endpoint: EndpointName,
    /// Kind of task.
    pub task_type: TaskType,
}

impl Cell {
    /// Trims and ASCII-lower-cases the three names.
    ///
    /// # Errors
    ///
    /// [`ProofError::TextEmpty`], [`ProofError::TextTooLong`] or [`ProofError::TextInvalid`] of any of the three.
    pub fn new(model: &str, endpoint: &str, task_type: &str) -> Result<Self, ProofError> {
        Ok(Self {
            model: ModelName::normalised(model)?,
            endpoint: EndpointName::normalised(endpoint)?,
            task_type: TaskType::normalised(task_type)?,
        })
    }

    /// Whether all three names are in normal form.
    #[must_use]
    pub fn is_normalised(&self) -> bool {
        self.model.is_normalised() && self.endpoint.is_normalised() && self.task_type.is_normalised()
    }

    /// blake2-256 of the SCALE encoding of the triple.
    #[must_use]
    pub fn id(&self) -> Hash {
        blake2_256(&self.encode())
    }
}
