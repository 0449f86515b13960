//! A small set of rule numbers.

/// A set of rule numbers, as words of 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn insert(&mut self, n: usize) {
        let word = n / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(w) = self.0.get_mut(word) {
            *w |= 1 << (n % 64);
        }
    }

    pub(crate) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(crate) fn contains(&self, n: usize) -> bool {
        self.0
            .get(n / 64)
            .is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut left = self.clone();
        for (a, b) in left.0.iter_mut().zip(&other.0) {
            *a &= !b;
        }
        left
    }

    /// Its numbers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(rest.trailing_zeros()).ok()?;
                rest &= rest.checked_sub(1)?;
                Some(i * 64 + bit)
            })
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_meet_where_they_share_a_number() {
        let (mut a, mut b) = (Bits::default(), Bits::default());
        a.insert(3);
        a.insert(130);
        b.insert(64);
        assert!(!a.meets(&b));
        b.insert(130);
        assert!(a.meets(&b));
        b.union(&a);
        assert!([3, 64, 130].iter().all(|n| b.contains(*n)));
        assert!(!b.contains(65) && !b.contains(9999));
        assert_eq!(b.iter().collect::<Vec<_>>(), [3, 64, 130]);
        assert_eq!(b.without(&a).iter().collect::<Vec<_>>(), [64]);
        assert!(Bits::default().is_empty() && !b.is_empty());
    }
}
