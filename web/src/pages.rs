//! The pages: what is loaded, what is shown, what can be done.

pub(crate) mod access;
pub(crate) mod add_device;
pub(crate) mod ago;
pub(crate) mod audit;
pub(crate) mod auth_keys;
pub(crate) mod blank;
pub(crate) mod gate;
pub(crate) mod home;
pub(crate) mod impact;
pub(crate) mod key_form;
pub(crate) mod loaded;
pub(crate) mod machine;
pub(crate) mod machines;
pub(crate) mod not_found;
pub(crate) mod register;
pub(crate) mod revisions;
pub(crate) mod scope;
pub(crate) mod settings;
pub(crate) mod shell;
pub(crate) mod sign_in;
pub(crate) mod tags_field;
pub(crate) mod tenant;
pub(crate) mod users;
