//! What the product is for: an administrator allows it in the browser, and it holds on the wire.

use std::{net::Ipv4Addr, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::Agent,
    console::{self, Browser},
    eventually::eventually,
    lab::{Host, Nat, Topology},
    process::run,
    stack::Stack,
    traffic::{self, Traffic},
};

/// How long a change may take to hold on the wire.
const HOLDS: Duration = Duration::from_secs(2);
const PAGE: Duration = Duration::from_secs(15);
/// A page that did not change for this long is complete.
const STILL: Duration = Duration::from_millis(150);

/// Port 22 is open, port 80 is not.
const ONLY_22: &str = r#"{
  // Shells only.
  "acls": [
    {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:member:22"]},
  ],
}
"#;

pub(crate) fn an_owner_sets_up_adds_machines_and_rules_the_wire_in_the_browser() -> Result<()> {
    console::check()?;
    let (mut net, srv) = Topology::new()?;
    // Before the browser: it notices interfaces that come and reports broken connections.
    let hosts = [net.host("one", Nat::Easy)?, net.host("two", Nat::Easy)?];
    let stack = Stack::start(&srv)?;
    let browser = Browser::start(&stack.ca_file()?)?;
    set_up(&browser, &stack)?;
    let words = shown_command(&browser)?;

    let one = Agent::start(&hosts[0])?;
    run_shown(&one, &words)?;
    browser.shows("[data-testid=arrivals]", "one", PAGE)?;
    check_page(&browser, "add device")?;
    browser.press_button("Machines")?;
    browser.shows("[data-testid=machine-row]", "one", PAGE)?;
    let two = Agent::start(&hosts[1])?;
    run_shown(&two, &words)?;
    browser.shows("[data-testid=machine-row][data-name=two]", "Online", PAGE)?;
    check_page(&browser, "machines")?;

    let address = two.address()?;
    let mut wire = Wire::open(&one.host, &two.host, address)?;
    browser.press_button("Access controls")?;
    let edited = save_policy(&browser, ONLY_22)?;
    wire.port_80_closes(edited)?;
    check_page(&browser, "access controls")?;
    let restored = revert(&browser)?;
    wire.port_80_opens(restored)?;
    // The server's shell is as quick as the browser.
    let tenant = stack.existing("analytical-engines", "ada@example.com");
    let set = traffic::wall();
    tenant.set_policy(ONLY_22)?;
    wire.is(80, "timeout", set)?;
    visit_every_page(&browser, &stack)?;
    no_page_was_wrong(&browser)
}

/// The first owner follows the link that the server printed.
fn set_up(browser: &Browser, stack: &Stack) -> Result<()> {
    let log = stack.log();
    let link = log.split_whitespace().find(|w| w.contains("/sign-in#"));
    browser.goto(link.context("the server printed no set-up link")?)?;
    browser.fill_field("Your name", "Ada Lovelace")?;
    browser.fill_field("Your e-mail address", "ada@example.com")?;
    browser.fill_field("Name of the network", "Analytical Engines")?;
    check_page(browser, "set up")?;
    browser.press_button("Create the network")?;
    browser.shows("h1", "Machines", PAGE)
}

/// Makes a reusable key in "Add device" and takes the words of the command shown.
fn shown_command(browser: &Browser) -> Result<Vec<String>> {
    browser.press_button("Add device")?;
    browser.press_button("With an auth key")?;
    browser.tick("Reusable")?;
    browser.press_button("Create key and show the command")?;
    let find = "const shown = document.querySelector('[data-testid=join-only-command]')
            ?? document.querySelector('[data-testid=join-command]');
        return shown ? shown.textContent.trim() : null";
    let command = eventually("the command is shown", PAGE, || {
        Ok(browser.eval(find, vec![])?.as_str().map(str::to_owned))
    })?;
    let words: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
    let at = words.iter().position(|w| w == "up");
    Ok(words[at.with_context(|| format!("no `up` in `{command}`"))?..].to_vec())
}

/// Runs the command with our socket and a name of our own.
fn run_shown(agent: &Agent, words: &[String]) -> Result<()> {
    let mut up = agent.command(words)?;
    up.args(["--hostname", &agent.name]);
    run(up, Duration::from_secs(30)).map(|_| ())
}

/// Writes the policy as a person does; gives the moment of the last press.
fn save_policy(browser: &Browser, document: &str) -> Result<f64> {
    let focus =
        "const host = document.querySelector('[data-testid=policy-editor]')?.firstElementChild;
        const text = host?.shadowRoot?.querySelector('.cm-content');
        if (!text) return false;
        text.focus();
        return true";
    eventually("the editor is there", PAGE, || {
        Ok((browser.eval(focus, vec![])? == true).then_some(()))
    })?;
    browser.select_all()?;
    browser.insert(document)?;
    browser.press_button("Save…")?;
    browser.shows("[data-testid=policy-changes]", "Shells only.", PAGE)?;
    browser.fill_field("Reason", "port 22 alone")?;
    let pressed = traffic::wall();
    browser.press_button("Save policy")?;
    Ok(pressed)
}

/// Restores the first revision; gives the moment of the last press.
fn revert(browser: &Browser) -> Result<f64> {
    let here = browser.url()?;
    browser.goto(&format!("{here}/revisions"))?;
    browser.shows("[data-testid=revision-row]", "port 22 alone", PAGE)?;
    check_page(browser, "revisions")?;
    browser.click("[data-testid=revision-row]:last-child button")?;
    browser.press_button("Restore…")?;
    let pressed = traffic::wall();
    browser.press_button("Restore")?;
    Ok(pressed)
}

/// What runs between the two machines while the policy changes.
struct Wire {
    from: Host,
    to: Ipv4Addr,
    sink: Traffic,
    _pour: Traffic,
}

impl Wire {
    /// A transfer to port 80 runs, and both ports answer.
    fn open(from: &Host, at: &Host, to: Ipv4Addr) -> Result<Self> {
        let address = to.to_string();
        let mut sink = traffic::start(at, &["sink", &address, "22", "80"])?;
        let pour = traffic::start(from, &["pour", &address, "80"])?;
        sink.says_after("got", traffic::wall(), Duration::from_secs(5))?;
        let wire = Self {
            from: from.clone(),
            to,
            sink,
            _pour: pour,
        };
        wire.is(22, "open", traffic::wall())?;
        Ok(wire)
    }

    fn port_80_closes(&mut self, edited: f64) -> Result<()> {
        self.is(80, "timeout", edited)?;
        let last = self.sink.silent("got", Duration::from_secs(8))?;
        let took = last - edited;
        ensure!(
            took < HOLDS.as_secs_f64(),
            "the running transfer ended {took:.2} s after the edit"
        );
        self.is(22, "open", traffic::wall())
    }

    fn port_80_opens(&self, restored: f64) -> Result<()> {
        self.is(80, "open", restored)?;
        self.is(22, "open", traffic::wall())
    }

    /// An attempt that begins within 2 s of `since` has this end.
    fn is(&self, port: u16, word: &str, since: f64) -> Result<()> {
        traffic::becomes(&self.from, (self.to, port), word, since, HOLDS)
    }
}

fn axe() -> Result<String> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file)
        .with_context(|| format!("{} is read; `cargo xtask web` installs it", file.display()))
}

/// Notes what is wrong with this page; [`no_page_was_wrong`] fails for all of them together.
pub(crate) fn check_page(browser: &Browser, name: &str) -> Result<()> {
    browser.examine(&axe()?, name)
}

pub(crate) fn no_page_was_wrong(browser: &Browser) -> Result<()> {
    let wrong = browser.findings();
    ensure!(
        wrong.is_empty(),
        "{} findings:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// Every page of the menu, wide and narrow, dark and light.
fn visit_every_page(browser: &Browser, stack: &Stack) -> Result<()> {
    let here = browser.url()?;
    let tenant = here
        .split("/t/")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let tenant = tenant.with_context(|| format!("no tenant in {here}"))?;
    for theme in ["light", "dark"] {
        browser.prefer(theme)?;
        for page in [
            "machines",
            "access-controls",
            "users",
            "auth-keys",
            "audit",
            "settings",
        ] {
            for width in [360, 1920] {
                browser.resize(width, 900)?;
                browser.goto(&format!("{}/t/{tenant}/{page}", stack.url()))?;
                settled(browser)?;
                let name = format!("{page} {theme} {width}");
                check_page(browser, &name)?;
            }
        }
    }
    Ok(())
}

/// Waits until the page has its title, loads nothing more, and stays as it is: the policy editor
/// comes after the page, and draws its findings later still.
fn settled(browser: &Browser) -> Result<()> {
    let look = "const page = document.querySelector('main h1')
            && !document.querySelector('[data-testid=loading]');
        const host = document.querySelector('[data-testid=policy-editor]');
        const editor = host?.firstElementChild?.shadowRoot;
        if (!page || (host && !editor?.querySelector('.cm-content'))) return null;
        return document.body.innerHTML + (editor?.innerHTML ?? '')";
    let mut last = None;
    eventually("the page has loaded", PAGE, || {
        let now = browser.eval(look, vec![])?;
        std::thread::sleep(STILL);
        let seen = browser.eval(look, vec![])?;
        let still = !now.is_null() && now == seen && last.as_ref() == Some(&seen);
        last = Some(seen);
        Ok(still.then_some(()))
    })
}
