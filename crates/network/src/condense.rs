//! Keeping products short: factors of a long term are multiplied out where that stores no more numbers.

use crate::coef::Coef;
use crate::dim::{Label, distinct, extent};
use crate::factor::{Factor, Value};
use crate::network::{Network, Term};

impl<V: Value> Network<V> {
    /// The same map with the dense factors of each term that has more than `most` of them multiplied, two at a time, as
    /// long as the product stores no more numbers than its factors, until half as many are left.
    ///
    /// # Errors
    /// What the payload's operations return.
    pub fn condensed(&self, most: usize) -> Result<Network<V>, V::Error> {
        let terms: Result<Vec<Term<V>>, V::Error> =
            self.terms().iter().map(|term| term.clone().condensed(most)).collect();
        Ok(self.with_terms(terms?))
    }
}

impl<V: Value> Term<V> {
    fn condensed(mut self, most: usize) -> Result<Term<V>, V::Error> {
        let is_dense = |factor: &Factor<V>| matches!(factor, Factor::Dense(..));
        if self.factors.iter().filter(|factor| is_dense(factor)).count() <= most {
            return Ok(self);
        }
        let (mut dense, rest): (Vec<Factor<V>>, Vec<Factor<V>>) =
            self.factors.into_iter().partition(is_dense);
        while dense.len() > most / 2 {
            let kept = |a: usize, b: usize| -> Vec<Label> {
                let all = distinct(dense[a].labels().into_iter().chain(dense[b].labels()));
                let others =
                    || dense.iter().enumerate().filter(|&(k, _)| k != a && k != b).map(|(_, factor)| factor);
                let needed = |label: &Label| {
                    self.slots.contains(label) || others().chain(&rest).any(|f| f.has(*label))
                };
                all.into_iter().filter(needed).collect()
            };
            let growth = |a: usize, b: usize| {
                extent(&kept(a, b)) - extent(&dense[a].labels()) - extent(&dense[b].labels())
            };
            let pairs = (1..dense.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
            let best = pairs.map(|(a, b)| (a, b, growth(a, b))).min_by(|x, y| x.2.total_cmp(&y.2));
            let Some((a, b, _)) = best.filter(|&(.., growth)| growth <= 0.0) else { break };
            let labels = kept(a, b);
            let operands: Vec<(V, Vec<Label>)> = [dense.remove(b), dense.remove(a)]
                .into_iter()
                .filter_map(|factor| match factor {
                    Factor::Dense(value, labels) => Some((value, labels)),
                    _ => None,
                })
                .collect();
            dense.push(Factor::Dense(V::contract(&Coef::one(), &operands, &labels)?, labels));
        }
        self.factors = dense.into_iter().chain(rest).collect();
        Ok(self)
    }
}
