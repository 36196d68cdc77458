// SPDX-License-Identifier: Apache-2.0
//! Weights as a dense matrix: one row per uid that validates, one column per uid.

use alloc::{vec, vec::Vec};

use super::{
    YumaInput,
    fixed::{PartOf, Q32},
    stake::Stakes,
};

/// The weight matrix after masking and row normalisation, without the rows that cannot matter.
pub(super) struct Rows {
    /// Uids of the rows, ascending: those with a permit and those with stored bonds.
    pub(super) uids: Vec<usize>,
    /// Number of columns: of uids.
    pub(super) columns: usize,
    /// Weights, row by row.
    pub(super) weights: Vec<Q32>,
    /// Whether a weight (also one of zero) was set and not masked.
    pub(super) present: Vec<bool>,
}

impl Rows {
    /// Drops rows without a permit, self-weights other than the owner's, and weights set (or committed) before the
    /// uid they name was taken; then divides each row by its sum.
    pub(super) fn new(input: &YumaInput, stakes: &Stakes) -> Self {
        let columns = input.neurons.len();
        let has_permit = |uid: usize| stakes.permits.get(uid).copied().unwrap_or(false);
        let has_bonds = |uid: usize| input.bonds.get(uid).is_some_and(|row| !row.is_empty());
        let uids: Vec<usize> = (0..columns).filter(|&uid| has_permit(uid) || has_bonds(uid)).collect();
        let size = columns.saturating_mul(uids.len());
        let mut rows = Self { uids, columns, weights: vec![Q32::ZERO; size], present: vec![false; size] };
        let width = columns.max(1);
        let taken_at: Vec<u64> = input.neurons.iter().map(|neuron| neuron.registered_at).collect();
        let matrix = rows.weights.chunks_exact_mut(width).zip(rows.present.chunks_exact_mut(width));
        for (&uid, (weights, present)) in rows.uids.iter().zip(matrix) {
            let (Some(neuron), Some(row), true) = (input.neurons.get(uid), input.weights.get(uid), has_permit(uid))
            else {
                continue;
            };
            let keeps_self = input.owner.is_some_and(|owner| usize::from(owner) == uid);
            let mut sum = 0_u64;
            for &(column, weight) in row {
                let column = usize::from(column);
                let (Some(&taken_at), Some(slot), Some(mark)) =
                    (taken_at.get(column), weights.get_mut(column), present.get_mut(column))
                else {
                    continue;
                };
                let outdated =
                    neuron.last_update <= taken_at || neuron.first_commit.is_some_and(|block| block < taken_at);
                if *mark || outdated || (column == uid && !keeps_self) {
                    continue;
                }
                *mark = true;
                *slot = Q32::from_bits(weight.into());
                sum = sum.saturating_add(weight.into());
            }
            let part = PartOf::new(Q32::from_bits(sum));
            for weight in weights.iter_mut() {
                *weight = part.of(*weight);
            }
        }
        rows
    }

    /// A matrix of this shape row by row.
    pub(super) fn split<'a, T>(&self, matrix: &'a [T]) -> impl Iterator<Item = &'a [T]> {
        matrix.chunks_exact(self.columns.max(1))
    }

    /// The entries of a vector over uids that belong to the rows.
    pub(super) fn of_rows<'a>(&'a self, values: &'a [Q32]) -> impl Iterator<Item = Q32> + 'a {
        self.uids.iter().map(|&uid| values.get(uid).copied().unwrap_or_default())
    }
}
