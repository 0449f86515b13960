//! Ids for elements that refer to each other.

use std::sync::atomic::{AtomicU32, Ordering};

/// The form's name of a field, from its label: `Your e-mail address` is `your-e-mail-address`.
pub(crate) fn field_name(label: &str) -> String {
    label
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// An id that no other element of the page has.
pub(crate) fn fresh(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{stem}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
