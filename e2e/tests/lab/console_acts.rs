//! What an administrator does in the browser, act by act, on real machines.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    agent::Agent,
    console::{self, Browser},
    eventually::eventually,
    lab::{self, Nat, Topology},
    process::Process,
    stack::{Stack, Tenant},
};

use crate::cut_off::cut;

const PAGE: Duration = Duration::from_secs(15);
const GUEST: &str = "grace@acme.example";

pub(crate) fn an_administrator_looks_after_machines_keys_and_people_in_the_browser() -> Result<()> {
    console::check()?;
    let (mut net, srv) = Topology::new()?;
    let hosts = [
        net.host("m1", Nat::Easy)?,
        net.host("m2", Nat::Easy)?,
        net.host("m3", Nat::UdpBlocked)?,
        net.host("m4", Nat::Easy)?,
    ];
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    let key = tenant.auth_key()?;
    let browser = Browser::start(&stack.ca_file()?)?;
    sign_in(&browser, &stack, &tenant)?;

    let by_link = Agent::start(&hosts[0])?;
    let_in_by_link(&browser, &by_link, &stack)?;
    let direct = Agent::join(&hosts[1], &stack, &key)?;
    let relayed = Agent::join(&hosts[2], &stack, &key)?;
    rename(&browser, &stack, &by_link)?;
    routes(&browser, &stack, &direct, &tenant)?;
    expire(&browser, &stack, [&by_link, &direct, &relayed])?;

    let waiting = Agent::start(&hosts[3])?;
    approve(&browser, &stack, &waiting, &key)?;
    tag(&browser, &stack, &waiting)?;
    remove(&browser, &stack, &waiting, &tenant)?;
    keys(&browser, &stack)?;
    invite(&browser, &stack, &tenant)?;
    audited(&browser, &stack)
}

pub(crate) fn page(browser: &Browser, stack: &Stack, page: &str) -> Result<()> {
    browser.goto(&format!("{}/t/acme/{page}", stack.url()))
}

/// Opens a machine's own page by its row.
pub(crate) fn machine(browser: &Browser, stack: &Stack, name: &str) -> Result<()> {
    page(browser, stack, "machines")?;
    browser.click(&format!("[data-testid=machine-row][data-name='{name}'] a"))?;
    browser.shows("h1", name, PAGE)
}

pub(crate) fn sign_in(browser: &Browser, stack: &Stack, tenant: &Tenant<'_>) -> Result<()> {
    let made = stack.admin(&["login-link", "--email", &tenant.owner])?;
    browser.goto(made["url"].as_str().context("no url in the answer")?)?;
    browser.press_button("Sign in")?;
    browser.shows("h1", "Machines", PAGE)
}

/// `warren up` without a key prints a link; a person opens it and confirms.
fn let_in_by_link(browser: &Browser, agent: &Agent, stack: &Stack) -> Result<()> {
    let log = lab::scratch()?.join("up-by-link");
    let mut up = Process::start("warren up", agent.up_command(stack, &[])?, &log)?;
    up.says("To let this machine in", PAGE)?;
    let said = up.log();
    let link = said.split_whitespace().find(|w| w.starts_with("https://"));
    browser.goto(link.with_context(|| format!("no link in: {said}"))?)?;
    browser.shows("[data-testid=registration-hostname]", &agent.name, PAGE)?;
    browser.press_button("Let it join")?;
    browser.shows("[data-testid=registration-done]", "", PAGE)?;
    joined(&up)
}

/// `warren up` says that the machine is in, and ends.
fn joined(up: &Process) -> Result<()> {
    eventually("`warren up` says so", PAGE, || {
        Ok(up.log().contains("up as ").then_some(()))
    })
}

fn rename(browser: &Browser, stack: &Stack, agent: &Agent) -> Result<()> {
    machine(browser, stack, "m1")?;
    browser.click("[data-testid=machine-rename]")?;
    browser.fill("[name=name]", "front-desk")?;
    browser.press_button("Rename")?;
    browser.shows("h1", "front-desk", PAGE)?;
    eventually("the machine knows its new name", PAGE, || {
        let node = agent.status()?["node"].to_string();
        Ok(node.contains("front-desk").then_some(()))
    })
}

/// A route that was approved at the shell is withdrawn and approved again on the machine's page.
fn routes(browser: &Browser, stack: &Stack, agent: &Agent, tenant: &Tenant<'_>) -> Result<()> {
    let route = "192.0.2.0/24";
    let approve = ["--approve", route];
    let node = ["node", "routes", "--tenant", "acme", &agent.name];
    stack.admin(&[&node[..], &approve].concat())?;
    machine(browser, stack, &agent.name)?;
    let row = format!("[data-testid=route-row][data-name='{route}']");
    browser.shows(&row, "Approved, not offered", PAGE)?;
    browser.click(&format!("{row} [data-testid=route-withdraw]"))?;
    browser.shows("[data-testid=withdraw-route]", "only a person can", PAGE)?;
    browser.click("[data-testid=withdraw-route] button[type=submit]")?;
    browser.shows(&row, "Withdrawn", PAGE)?;
    let shown = tenant.routes(&agent.name)?;
    ensure!(
        shown[0]["standing"]["kind"] == "withdrawn",
        "the server shows {shown}"
    );
    browser.click(&format!("{row} [data-testid=route-approve]"))?;
    browser.shows(&row, &format!("by {}", tenant.owner), PAGE)
}

/// The last press cuts the machine off, directly and through the relay.
fn expire(browser: &Browser, stack: &Stack, [node, direct, relayed]: [&Agent; 3]) -> Result<()> {
    machine(browser, stack, "front-desk")?;
    cut(node, direct, relayed, || {
        browser.click("[data-testid=machine-menu]")?;
        browser.click("[data-testid=machine-expire]")?;
        browser.shows("[data-testid=expire-key]", "cut off", PAGE)?;
        let pressed = e2e::traffic::wall();
        browser.press_button("Expire key")?;
        Ok(pressed)
    })?;
    browser.shows("main", "Key expired", PAGE)
}

/// Where machines need approval, one waits until somebody presses the button.
fn approve(browser: &Browser, stack: &Stack, agent: &Agent, key: &str) -> Result<()> {
    page(browser, stack, "settings")?;
    browser.tick("New machines need approval")?;
    browser.press_button("Save settings")?;
    browser.shows("[data-testid=toasts]", "saved", PAGE)?;

    let log = lab::scratch()?.join("up-waiting");
    let command = agent.up_command(stack, &["--auth-key", key])?;
    let mut up = Process::start("warren up", command, &log)?;
    up.says("An administrator must approve", PAGE)?;
    machine(browser, stack, &agent.name)?;
    browser.click("[data-testid=machine-approve]")?;
    joined(&up)
}

fn tag(browser: &Browser, stack: &Stack, agent: &Agent) -> Result<()> {
    machine(browser, stack, &agent.name)?;
    browser.click("[data-testid=machine-tags]")?;
    browser.fill("[name=tags]", "tag:unknown")?;
    browser.press_button("Save tags")?;
    browser.shows("[data-testid=edit-tags]", "tag:unknown", PAGE)?;
    browser.fill("[name=tags]", "tag:server")?;
    browser.press_button("Save tags")?;
    eventually("the machine is tagged", PAGE, || {
        let node = agent.status()?["node"].to_string();
        Ok(node.contains("tag:server").then_some(()))
    })
}

fn remove(browser: &Browser, stack: &Stack, agent: &Agent, tenant: &Tenant<'_>) -> Result<()> {
    machine(browser, stack, &agent.name)?;
    browser.click("[data-testid=machine-menu]")?;
    browser.click("[data-testid=machine-remove]")?;
    browser.fill("[data-testid=remove-machine] input", &agent.name)?;
    browser.press_button("Remove machine")?;
    browser.shows("h1", "Machines", PAGE)?;
    ensure!(
        tenant.node(&agent.name).is_err(),
        "the removed machine is still listed"
    );
    Ok(())
}

/// A key is shown once, and worth nothing once it is revoked.
fn keys(browser: &Browser, stack: &Stack) -> Result<()> {
    page(browser, stack, "auth-keys")?;
    browser.click("[data-testid=create-key-open]")?;
    browser.fill_field("Description", "for the test bench")?;
    browser.click("[data-testid=create-key] button[type=submit]")?;
    browser.shows("[data-testid=auth-key-secret]", "warren_auth_", PAGE)?;
    page(browser, stack, "auth-keys")?;
    browser.shows("[data-testid=auth-key-row]", "for the test bench", PAGE)?;
    let row = "//*[@data-testid='auth-key-row'][contains(., 'for the test bench')]";
    browser.click(&format!("{row}//button[normalize-space(.)='Revoke…']"))?;
    browser.click("[data-testid=revoke-key] button[type=submit]")?;
    browser.shows("[data-testid=toasts]", "revoked", PAGE)
}

/// An invited person follows the link, which works once.
fn invite(browser: &Browser, stack: &Stack, tenant: &Tenant<'_>) -> Result<()> {
    page(browser, stack, "users")?;
    browser.click("[data-testid=invite-open]")?;
    browser.fill_field("E-mail address", GUEST)?;
    browser.press_button("Create invitation link")?;
    browser.shows("[data-testid=one-time-link]", "/sign-in#", PAGE)?;
    let link = browser.text("[data-testid=one-time-link]")?;
    let link = link.split_whitespace().find(|w| w.contains("/sign-in#"));
    let link = link.context("no link in the dialog")?.to_owned();

    page(browser, stack, "users")?;
    sign_out(browser)?;
    browser.goto(&link)?;
    browser.fill_field("Your name", "Grace Hopper")?;
    browser.press_button("Join")?;
    browser.shows("[data-testid=account-menu]", "Grace Hopper", PAGE)?;
    sign_out(browser)?;
    browser.goto("about:blank")?;
    browser.goto(&link)?;
    browser.shows("body", "not valid any more", PAGE)?;
    sign_in(browser, stack, tenant)?;
    page(browser, stack, "users")?;
    let row = format!("[data-testid=user-row][data-email='{GUEST}']");
    browser.shows(&row, "Grace Hopper", PAGE)
}

fn sign_out(browser: &Browser) -> Result<()> {
    browser.click("[data-testid=account-menu]")?;
    browser.press_button("Sign out")?;
    browser.shows("h1", "Sign in", PAGE)
}

/// Every act above left its record.
fn audited(browser: &Browser, stack: &Stack) -> Result<()> {
    page(browser, stack, "audit")?;
    for event in [
        "node.joined",
        "node.renamed",
        "node.routes_approved",
        "node.routes_withdrawn",
        "node.expired",
        "node.approved",
        "node.tagged",
        "node.removed",
        "auth_key.created",
        "auth_key.revoked",
        "user.invited",
    ] {
        browser.shows(
            &format!("[data-testid=audit-row][data-event='{event}']"),
            "",
            PAGE,
        )?;
    }
    Ok(())
}
