//! Errors of the API: RFC 9457 problems with a closed list of codes.

use serde::{Deserialize, Serialize};

use super::policy::Diagnostic;

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `/problems/CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code's sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong here and what to do.
    pub detail: String,
    /// The code.
    pub code: Code,
    /// To be quoted to the operator.
    #[serde(default)]
    pub request_id: String,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What is wrong with a policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// A JSON pointer, `/name`.
    pub pointer: String,
    /// What is wrong and what to do.
    pub detail: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $status:literal, $title:literal;)*) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// One sentence for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// The body, query or path is not what the route takes.
    Malformed = 400, "The request could not be read.";
    /// No session, or it has ended.
    Unauthenticated = 401, "Please sign in.";
    /// A one-time link that is unknown, used or expired.
    LinkInvalid = 401, "This link is not valid any more.";
    /// A request from another site, or without the console's header.
    CrossSite = 403, "The request did not come from this console.";
    /// The role does not allow it.
    Forbidden = 403, "Your role does not allow this.";
    /// Not there, or not yours to know.
    NotFound = 404, "Not found.";
    /// The route exists, the method does not.
    MethodNotAllowed = 405, "This method is not supported here.";
    /// Another node of the tenant has this name.
    NodeNameTaken = 409, "Another machine has this name.";
    /// Another tenant has this short name.
    TenantSlugTaken = 409, "Another tenant has this short name.";
    /// The policy was saved by somebody else meanwhile.
    PolicyChanged = 409, "The policy has been changed by somebody else.";
    /// The tenant would be left without an owner.
    LastOwner = 409, "A tenant needs at least one owner.";
    /// A person who is a member already.
    AlreadyMember = 409, "This person is a member already.";
    /// The waiting machine is unknown, or was decided upon already.
    RegistrationGone = 409, "This sign-in request is not open any more.";
    /// The body is larger than the route takes.
    TooLarge = 413, "The request is too large.";
    /// The body is not JSON.
    UnsupportedMediaType = 415, "The request body must be JSON.";
    /// Fields that were read but refused.
    Invalid = 422, "Some fields are not valid.";
    /// A policy that does not parse or compile.
    PolicyInvalid = 422, "The policy is not valid.";
    /// Too many requests.
    TooMany = 429, "Too many requests; please wait.";
    /// A fault of the server; the log knows the request id.
    Internal = 500, "The server met an error.";
    /// The database or another part is away.
    Unavailable = 503, "The server is not ready; please try again.";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}
