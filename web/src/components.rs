//! What pages are made of. No component knows a word of the domain.

pub(crate) mod badge;
pub(crate) mod button;
pub(crate) mod checkbox;
pub(crate) mod code_area;
pub(crate) mod command;
pub(crate) mod confirm;
pub(crate) mod copy;
pub(crate) mod definition;
pub(crate) mod dialog;
pub(crate) mod empty;
pub(crate) mod icon;
pub(crate) mod id;
pub(crate) mod menu;
pub(crate) mod notice;
pub(crate) mod page_header;
pub(crate) mod panel;
pub(crate) mod prose;
pub(crate) mod relative_time;
pub(crate) mod search_field;
pub(crate) mod segmented;
pub(crate) mod select_field;
pub(crate) mod skeleton;
pub(crate) mod table;
pub(crate) mod text_field;
pub(crate) mod toast;
