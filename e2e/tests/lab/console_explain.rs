//! The console explains: words of the policy, who may reach what and why, what a change does.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    agent::Agent,
    console::{self, Browser},
    eventually::eventually,
    lab::{Nat, Topology},
    stack::{Stack, Tenant},
};
use serde_json::json;

use crate::{
    console_acts::{machine, page, sign_in},
    console_policy::{check_page, no_page_was_wrong},
};

const PAGE: Duration = Duration::from_secs(15);

const LAW: &str = r#"{
  "groups": {"group:dev": ["bob@acme.example"]},
  "tagOwners": {"tag:server": ["owner@acme.example"], "tag:lab": ["owner@acme.example"]},
  "acls": [
    // Developers.
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:server:22"]},
  ],
  "ssh": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:server"], "users": ["root"]},
  ],
  "tests": [{"src": "bob@acme.example", "accept": ["tag:server:22"], "deny": ["tag:server:80"]}],
}
"#;

pub(crate) fn an_administrator_learns_why_and_what_a_change_does_in_the_browser() -> Result<()> {
    console::check()?;
    let (mut net, srv) = Topology::new()?;
    let hosts = [net.host("laptop", Nat::Easy)?, net.host("web", Nat::Easy)?];
    let stack = Stack::start(&srv)?;
    let tenant = stack.tenant("acme")?;
    tenant.user("bob@acme.example", "member")?;
    tenant.set_policy(LAW)?;
    let _laptop = Agent::join(
        &hosts[0],
        &stack,
        &tenant.auth_key_of("bob@acme.example", &[])?,
    )?;
    let tagged = tenant.auth_key_of(&tenant.owner, &["--tags", "tag:server"])?;
    let _web = Agent::join(&hosts[1], &stack, &tagged)?;
    let browser = Browser::start(&stack.ca_file()?)?;
    sign_in(&browser, &stack, &tenant)?;

    page(&browser, &stack, "access-controls")?;
    browser.shows("[data-testid=policy-tests]", "2 tests hold", PAGE)?;
    words(&browser)?;
    tests_run_while_typing(&browser)?;
    explanations(&browser)?;
    impact_of_a_draft(&browser)?;
    nothing_typed_is_lost(&browser)?;
    saving_waits_beside_a_newer_revision(&browser, &tenant)?;
    impact_of_restoring(&browser, &stack)?;
    impact_of_tags(&browser, &stack)?;
    no_page_was_wrong(&browser)
}

/// Runs a script's body with `editor`, the root that holds the policy editor.
fn in_editor(browser: &Browser, script: &str, text: &str) -> Result<serde_json::Value> {
    let find = "const editor = document.querySelector('[data-testid=policy-editor]')
        ?.firstElementChild?.shadowRoot;
        if (!editor?.querySelector('.cm-content')) return null;";
    browser.eval(&format!("{find} {script}"), vec![json!(text)])
}

fn editor_shows(browser: &Browser, css: &str, text: &str) -> Result<()> {
    let script = format!(
        "return [...editor.querySelectorAll('{css}')].some(e => e.innerText.includes(arguments[0]))"
    );
    eventually(&format!("`{css}` shows `{text}`"), PAGE, || {
        Ok((in_editor(browser, &script, text)? == true).then_some(()))
    })
}

fn type_policy(browser: &Browser, text: &str) -> Result<()> {
    eventually("the editor takes the focus", PAGE, || {
        let focus = "editor.querySelector('.cm-content').focus(); return true";
        Ok((in_editor(browser, focus, "")? == true).then_some(()))
    })?;
    browser.select_all()?;
    browser.insert(text)
}

/// Completion offers the names that exist, and the pointer finds what they stand for.
fn words(browser: &Browser) -> Result<()> {
    type_policy(
        browser,
        r#"{"groups": {"group:dev": ["bob@acme.example"]}, "acls": [{"src": [""#,
    )?;
    browser.insert("gr")?;
    editor_shows(browser, ".cm-tooltip-autocomplete li", "group:dev")?;
    browser.press_button("Discard changes")?;
    let point = "const word = [...editor.querySelectorAll('.cm-line span')]
            .find(e => e.textContent === '\"tag:server\"' || e.textContent === arguments[0]);
        if (!word) return false;
        const box = word.getBoundingClientRect();
        word.dispatchEvent(new MouseEvent('mousemove', { bubbles: true, composed: true,
            clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 }));
        return true";
    eventually("the pointer is on a group", PAGE, || {
        Ok((in_editor(browser, point, "\"group:dev\"")? == true).then_some(()))
    })?;
    editor_shows(browser, ".cm-explained", "bob@acme.example")
}

/// A test that fails is marked at its line before anything is saved.
fn tests_run_while_typing(browser: &Browser) -> Result<()> {
    type_policy(
        browser,
        &LAW.replace("tag:server:22\"]}", "tag:server:23\"]}"),
    )?;
    browser.shows("[data-testid=policy-tests]", "1 of 2 tests fail", PAGE)?;
    browser.shows("[data-testid=policy-finding]", "bob@acme.example", PAGE)?;
    editor_shows(browser, ".cm-test-fails", "✗")?;
    browser.press_button("Discard changes")?;
    browser.shows("[data-testid=policy-tests]", "2 tests hold", PAGE)?;
    editor_shows(browser, ".cm-test-holds", "✓")
}

fn explanations(browser: &Browser) -> Result<()> {
    browser.fill_field("From", "bob@acme.example")?;
    browser.fill_field("To", "tag:server")?;
    browser.fill_field("Port", "22")?;
    browser.press_button("Explain")?;
    browser.shows("[data-testid=verdict]", "Allowed", PAGE)?;
    browser.shows("[data-testid=explain-chain]", "group:dev", PAGE)?;
    check_page(browser, "explained")?;
    browser.click("[data-testid=explain-place][data-line='6']")?;
    editor_shows(browser, ".cm-activeLine", "tag:server:22")?;

    browser.fill_field("Port", "80")?;
    browser.press_button("Explain")?;
    browser.shows("[data-testid=verdict]", "Denied", PAGE)?;
    browser.shows("[data-testid=explain-near]", "rule 1 of acls", PAGE)?;
    browser.fill_field("To", "tag:sevrer")?;
    browser.press_button("Explain")?;
    browser.shows("[data-testid=policy-explain]", "did you mean", PAGE)?;
    check_page(browser, "a name that nothing has")?;

    browser.press_button("Sign in by SSH")?;
    browser.fill_field("To", "web")?;
    browser.press_button("Explain")?;
    browser.shows("[data-testid=verdict]", "Allowed", PAGE)?;
    browser.press_button("Who can reach…")?;
    browser.fill_field("Port", "22")?;
    browser.press_button("Explain")?;
    browser.shows("[data-testid=explain-entrance]", "laptop", PAGE)?;
    check_page(browser, "who can reach")
}

/// The save dialog tells what the draft takes away, and from whom everything.
fn impact_of_a_draft(browser: &Browser) -> Result<()> {
    let none = LAW.split("  \"acls\"").next().unwrap_or_default();
    type_policy(browser, &format!("{none}  \"acls\": [],\n}}\n"))?;
    browser.press_button("Save…")?;
    browser.shows("[data-testid=impact-lost]", "bob@acme.example", PAGE)?;
    browser.shows("[data-testid=impact-cut-off]", "bob@acme.example", PAGE)?;
    browser.shows("[data-testid=impact-gained]", "nothing", PAGE)?;
    check_page(browser, "impact of a draft")?;
    browser.press_button("Cancel")?;
    browser.press_button("Discard changes")
}

/// A draft outlives links, the way back, a reload and a second thought about signing out.
fn nothing_typed_is_lost(browser: &Browser) -> Result<()> {
    type_policy(browser, &format!("// A draft.\n{LAW}"))?;
    browser.shows("[data-testid=policy-revision]", "Unsaved changes", PAGE)?;
    browser.press_button("Users")?;
    browser.shows("h1", "Users", PAGE)?;
    browser.eval("history.back()", vec![])?;
    browser.shows("[data-testid=policy-restored]", "unsaved changes", PAGE)?;
    editor_shows(browser, ".cm-line", "// A draft.")?;
    check_page(browser, "a draft is there again")?;
    let here = browser.url()?;
    browser.goto(&here)?;
    editor_shows(browser, ".cm-line", "// A draft.")?;
    browser.click("[data-testid=account-menu]")?;
    browser.press_button("Sign out")?;
    browser.shows("[data-testid=sign-out]", "not saved", PAGE)?;
    check_page(browser, "signing out over a draft")?;
    browser.press_button("Cancel")?;
    browser.press_button("Discard them")?;
    browser.shows("[data-testid=policy-tests]", "2 tests hold", PAGE)?;
    let drafts = "return Object.keys(sessionStorage).length";
    eventually("nothing of it is left", PAGE, || {
        Ok((browser.eval(drafts, vec![])? == 0).then_some(()))
    })
}

/// A revision that somebody else saves is told before saving, also under the open dialog; whose
/// text goes on is chosen, and nothing typed is lost.
fn saving_waits_beside_a_newer_revision(browser: &Browser, tenant: &Tenant<'_>) -> Result<()> {
    let in_dialog = |text: &str| {
        format!("//dialog[@data-testid='save-policy']//button[normalize-space(.)='{text}']")
    };
    type_policy(browser, &format!("// Mine.\n{LAW}"))?;
    tenant.set_policy(&format!("// Theirs.\n{LAW}"))?;
    browser.shows(
        "[data-testid=policy-conflict]",
        "while you were editing",
        PAGE,
    )?;
    browser.press_button("Save…")?;
    browser.shows("[data-testid=save-policy-conflict]", "// Theirs.", PAGE)?;
    check_page(browser, "saving beside a newer revision")?;
    browser.click(&in_dialog("Keep my text"))?;
    browser.shows("[data-testid=policy-changes]", "// Mine.", PAGE)?;
    browser.fill_field("Reason", "mine is right")?;
    tenant.set_policy(&format!("// Theirs again.\n{LAW}"))?;
    browser.shows(
        "[data-testid=save-policy-conflict]",
        "// Theirs again.",
        PAGE,
    )?;
    browser.click(&in_dialog("Keep my text"))?;
    browser.shows("[data-testid=policy-changes]", "// Mine.", PAGE)?;
    let reason = browser.attribute("[data-testid=save-policy] input", "value")?;
    ensure!(
        reason.as_deref() == Some("mine is right"),
        "the reason is lost: {reason:?}"
    );
    browser.press_button("Save policy")?;
    browser.shows("[data-testid=policy-tests]", "2 tests hold", PAGE)?;
    editor_shows(browser, ".cm-line", "// Mine.")
}

/// So does the dialog that restores a revision.
fn impact_of_restoring(browser: &Browser, stack: &Stack) -> Result<()> {
    page(browser, stack, "access-controls/revisions")?;
    browser.shows("[data-testid=revision-row]", "mine is right", PAGE)?;
    browser.click("[data-testid=revision-row]:last-child button")?;
    browser.shows(
        "[data-testid=revision] [data-testid=impact-lost]",
        "tag:server",
        PAGE,
    )?;
    check_page(browser, "impact of restoring")
}

/// So does the dialog for tags, which knows the policy's.
fn impact_of_tags(browser: &Browser, stack: &Stack) -> Result<()> {
    machine(browser, stack, "web")?;
    browser.click("[data-testid=machine-tags]")?;
    browser.fill("[name=tags]", "tag:sevrer")?;
    browser.shows("[data-testid=edit-tags]", "did you mean tag:server?", PAGE)?;
    check_page(browser, "a tag that the policy does not define")?;
    browser.fill("[name=tags]", "la")?;
    browser.click("[data-testid=tag-choices] button")?;
    browser.shows("[data-testid=impact-lost]", "group:dev", PAGE)?;
    check_page(browser, "impact of tags")
}
