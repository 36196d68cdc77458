// SPDX-License-Identifier: Apache-2.0
//! Weights as a dense matrix: one row per uid that validates, one column per uid that is weighed.

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
    /// Uids of the columns, ascending: those that a weight or a stored bond names.
    pub(super) targets: Vec<usize>,
    /// Column of each uid; [`usize::MAX`] for those without.
    column_of: Vec<usize>,
    /// Weights, row by row.
    pub(super) weights: Vec<Q32>,
    /// Whether a weight (also one of zero) was set and not masked.
    pub(super) present: Vec<bool>,
}

impl Rows {
    /// Drops rows without a permit, self-weights other than the owner's, and weights set (or committed) before the
    /// uid they name was taken; then divides each row by its sum.
    pub(super) fn new(input: &YumaInput, stakes: &Stakes) -> Self {
        let count = input.neurons.len();
        let has_permit = |uid: usize| stakes.permits.get(uid).copied().unwrap_or(false);
        let has_bonds = |uid: usize| input.bonds.get(uid).is_some_and(|row| !row.is_empty());
        let uids: Vec<usize> = (0..count).filter(|&uid| has_permit(uid) || has_bonds(uid)).collect();
        let mut column_of = vec![usize::MAX; count];
        for row in uids.iter().flat_map(|&uid| [input.weights.get(uid), input.bonds.get(uid)]).flatten() {
            for &(target, _) in row {
                if let Some(column) = column_of.get_mut(usize::from(target)) {
                    *column = 0;
                }
            }
        }
        let mut targets = Vec::with_capacity(count);
        for (uid, column) in column_of.iter_mut().enumerate().filter(|(_, column)| **column == 0) {
            *column = targets.len();
            targets.push(uid);
        }
        let size = targets.len().saturating_mul(uids.len());
        let mut rows = Self { uids, targets, column_of, weights: vec![Q32::ZERO; size], present: vec![false; size] };
        let width = rows.width();
        let matrix = rows.weights.chunks_exact_mut(width).zip(rows.present.chunks_exact_mut(width));
        for (&uid, (weights, present)) in rows.uids.iter().zip(matrix) {
            let (Some(neuron), Some(row), true) = (input.neurons.get(uid), input.weights.get(uid), has_permit(uid))
            else {
                continue;
            };
            let keeps_self = input.owner.is_some_and(|owner| usize::from(owner) == uid);
            let mut sum = 0_u64;
            for &(target, weight) in row {
                let target = usize::from(target);
                let column = rows.column_of.get(target).copied().unwrap_or(usize::MAX);
                let (Some(aim), Some(slot), Some(mark)) =
                    (input.neurons.get(target), weights.get_mut(column), present.get_mut(column))
                else {
                    continue;
                };
                let outdated = neuron.last_update <= aim.registered_at
                    || neuron.first_commit.is_some_and(|block| block < aim.registered_at);
                if *mark || outdated || (target == uid && !keeps_self) {
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

    /// Entries of a row in memory: the number of columns, but one where there is none, so that rows can be split.
    pub(super) fn width(&self) -> usize {
        self.targets.len().max(1)
    }

    /// A matrix of this shape row by row.
    pub(super) fn split<'a, T>(&self, matrix: &'a [T]) -> impl Iterator<Item = &'a [T]> {
        matrix.chunks_exact(self.width())
    }

    /// The column of a uid, if any weight or bond names it.
    pub(super) fn column(&self, uid: u16) -> Option<usize> {
        self.column_of.get(usize::from(uid)).copied().filter(|&column| column != usize::MAX)
    }

    /// A vector over columns as one over uids, zero elsewhere.
    pub(super) fn by_uid(&self, values: &[Q32]) -> Vec<Q32> {
        let mut all = vec![Q32::ZERO; self.column_of.len()];
        for (&uid, &value) in self.targets.iter().zip(values) {
            if let Some(slot) = all.get_mut(uid) {
                *slot = value;
            }
        }
        all
    }

    /// The entries of a vector over uids that belong to the rows.
    pub(super) fn of_rows<'a>(&'a self, values: &'a [Q32]) -> impl Iterator<Item = Q32> + 'a {
        self.uids.iter().map(|&uid| values.get(uid).copied().unwrap_or_default())
    }
}
