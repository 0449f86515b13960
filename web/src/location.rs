//! The address bar: where we are, as a signal, and how to go elsewhere without
//! loading the console again.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{HtmlAnchorElement, HtmlElement, MouseEvent, Url};

/// Where the console is. A context.
#[derive(Clone, Copy)]
pub(crate) struct Location {
    place: RwSignal<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: String,
    search: String,
    hash: String,
}

/// Whether the page that is left can be come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It stays in the browser's history.
    Push,
    /// It is forgotten.
    Replace,
}

impl Location {
    /// Follows the address bar and the clicks on links from now on.
    pub(crate) fn start() -> Self {
        let here = Self {
            place: RwSignal::new(Place::now()),
        };
        let _ = window_event_listener(ev::popstate, move |_| {
            here.follow();
        });
        let _ = window_event_listener(ev::click, move |click| {
            if let Some(url) = own_link(&click) {
                click.prevent_default();
                here.go(&url, Step::Push);
            }
        });
        here
    }

    /// The path, tracked.
    pub(crate) fn path(self) -> String {
        self.place.with(|place| place.path.clone())
    }

    /// What follows `#`, tracked.
    pub(crate) fn fragment(self) -> String {
        self.place
            .with(|place| place.hash.trim_start_matches('#').to_owned())
    }

    /// One parameter of the query, tracked; empty when absent.
    pub(crate) fn parameter(self, name: &str) -> String {
        self.place
            .with(|place| crate::model::query_string::get(&place.search, name))
    }

    /// Sets one parameter of the query in place; empty takes it out.
    pub(crate) fn set_parameter(self, name: &str, value: &str) {
        let place = self.place.get_untracked();
        let search = crate::model::query_string::set(&place.search, name, value);
        self.go(&format!("{}{search}", place.path), Step::Replace);
    }

    /// Goes to a path of the console.
    pub(crate) fn go(self, url: &str, step: Step) {
        let Ok(history) = window().history() else {
            return;
        };
        let done = match step {
            Step::Push => history.push_state_with_url(&JsValue::NULL, "", Some(url)),
            Step::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(url)),
        };
        if done.is_err() {
            return;
        }
        if self.follow() {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }

    /// Takes over what the address bar shows; true when it is another page.
    fn follow(self) -> bool {
        let now = Place::now();
        let moved = self.place.with_untracked(|before| before.path != now.path);
        if moved {
            // What had the focus stays behind; the new page's heading takes it.
            let active = document().active_element();
            if let Some(active) = active.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
                let _ = active.blur();
            }
        }
        self.place.set(now);
        moved
    }
}

impl Place {
    fn now() -> Self {
        let location = window().location();
        Self {
            path: location.pathname().unwrap_or_default(),
            search: location.search().unwrap_or_default(),
            hash: location.hash().unwrap_or_default(),
        }
    }
}

/// The path of a plain click on a link within the console.
fn own_link(click: &MouseEvent) -> Option<String> {
    let modified = click.meta_key() || click.alt_key() || click.ctrl_key() || click.shift_key();
    if click.default_prevented() || click.button() != 0 || modified {
        return None;
    }
    let link = click
        .composed_path()
        .iter()
        .find_map(|node| node.dyn_into::<HtmlAnchorElement>().ok())?;
    if !link.target().is_empty() || link.has_attribute("download") || link.href().is_empty() {
        return None;
    }
    let url = Url::new(&link.href()).ok()?;
    let ours = url.origin() == window().location().origin().ok()?
        && link.rel() != "external"
        && !link.get_attribute("href")?.starts_with('#');
    ours.then(|| format!("{}{}{}", url.pathname(), url.search(), url.hash()))
}
