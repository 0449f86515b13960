//! What is odd in a policy that can be saved: names that nothing uses, rules
//! that say nothing new or match nobody, tags without owners, open ports that
//! no test guards.
//!
//! All findings are warnings with a help text; none stops a save.

mod covers;
mod people;
mod ports;
mod repeated;
mod unused;
mod view;

use crate::{
    diagnostic::{Diagnostic, Sink},
    directory::Directory,
    source,
};
use view::View;

/// Looks through a document. Nothing is said of one that cannot be read, nor of
/// people where the directory has none.
pub fn lint(text: &str, directory: &Directory) -> Vec<Diagnostic> {
    let Ok(root) = source::read(text) else {
        return Vec::new();
    };
    let Some(view) = View::of(&root) else {
        return Vec::new();
    };
    let mut sink = Sink::default();
    unused::look(&view, &mut sink);
    repeated::look(&view, &mut sink);
    if !directory.users.is_empty() {
        people::look(&view, directory, &mut sink);
    }
    ports::look(&view, &mut sink);
    sink.finish()
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
