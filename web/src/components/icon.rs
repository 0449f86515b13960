//! Drawn signs, 16 units wide; they are never the only word for something.

use leptos::prelude::*;

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Several boxes.
    Machines,
    /// A shield.
    Shield,
    /// Two people.
    Users,
    /// A key.
    Key,
    /// A list with lines.
    List,
    /// A gear.
    Gear,
    /// Plus.
    Plus,
    /// Two sheets.
    Copy,
    /// A tick.
    Check,
    /// A cross.
    Cross,
    /// A magnifying glass.
    Search,
    /// A triangle with a mark.
    Warning,
    /// A circle with an i.
    Info,
    /// Up and down.
    Switch,
    /// A person.
    Person,
    /// An arrow to the left.
    Back,
    /// Three dots.
    More,
}

/// Draws a sign.
#[component]
pub(crate) fn Icon(sign: Sign) -> impl IntoView {
    view! {
        <svg
            class="size-4 shrink-0"
            viewBox="0 0 16 16"
            fill="none"
            stroke="currentColor"
            stroke-width=if sign == Sign::More { "2.5" } else { "1.5" }
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=path(sign)></path>
        </svg>
    }
}

fn path(sign: Sign) -> &'static str {
    match sign {
        Sign::Machines => "M2.500 2.500h11v4h-11zM2.500 9.500h11v4h-11zM5 4.500h.01M5 11.500h.01",
        Sign::Shield => {
            "M8 1.800 13.200 3.600v4c0 3.300-2.200 5.500-5.200 6.600-3-1.100-5.200-3.300-5.200-6.600v-4zM5.800 7.800l1.600 1.600 2.900-3"
        }
        Sign::Users => {
            "M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500c.3-2.500 2-4 4.500-4s4.200 1.500 4.500 4M11 2.800a2.300 2.300 0 0 1 0 4.400M12.300 9.900c1.300.6 2 1.900 2.200 3.600"
        }
        Sign::Key => {
            "M10.500 9a3.500 3.500 0 1 0-3.300-2.300L2 11.900V14h2.600v-1.600h1.600v-1.600h1.100l1.200-1.200c.6.300 1.300.4 2 .4zM11.300 4.700h.01"
        }
        Sign::List => "M3 3.500h10M3 8h10M3 12.500h6",
        Sign::Gear => {
            "M2 4.500h6.500M12 4.500h2M2 11.500h2M7.500 11.500H14M10.200 6.200a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400zM5.800 13.200a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400z"
        }
        Sign::Plus => "M8 3v10M3 8h10",
        Sign::Copy => "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
        Sign::Check => "M3 8.500 6.500 12 13 4.500",
        Sign::Cross => "M4 4l8 8M12 4l-8 8",
        Sign::Search => {
            "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300 13.500 13.500"
        }
        Sign::Warning => "M8 2.200 14.500 13.500h-13zM8 6.500v3.200M8 11.600h.01",
        Sign::Info => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.300V11M8 5h.01",
        Sign::Switch => "M5 6l3-3 3 3M5 10l3 3 3-3",
        Sign::Person => {
            "M8 8a2.800 2.800 0 1 0 0-5.600A2.800 2.800 0 0 0 8 8zM2.800 14c.4-2.600 2.400-4 5.200-4s4.800 1.400 5.200 4"
        }
        Sign::Back => "M9.500 3.500 5 8l4.500 4.500",
        Sign::More => "M3.500 8h.01M8 8h.01M12.500 8h.01",
    }
}
