//! The console in a headless Chromium, as a person would use it.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use thirtyfour::{ChromiumLikeCapabilities as _, LoggingPrefsLogLevel, prelude::*};
use tokio::runtime::{Builder, Runtime};

use crate::{
    eventually::eventually,
    lab,
    process::{Process, run},
};

const DRIVER: &str = "http://127.0.0.1:9515";
/// A debug build of everything shares two cores with the browser.
const PATIENCE: Duration = Duration::from_secs(30);

/// Notes every violation of the content security policy before the page's own code runs.
const WATCH: &str = "window.__violations = [];
document.addEventListener('securitypolicyviolation', e =>
  window.__violations.push(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile + ':' + e.lineNumber));";

/// A browser that trusts one CA by its own store.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    runtime: Runtime,
    home: PathBuf,
    findings: RefCell<Vec<String>>,
    _chromedriver: Process,
}

/// Whether a browser can be had here; `Err` says what is missing.
pub fn check() -> Result<()> {
    for program in ["chromedriver", "chromium", "certutil"] {
        let mut which = Command::new("sh");
        which.args(["-c", &format!("command -v {program}")]);
        run(which, Duration::from_secs(5)).with_context(|| format!("{program} is missing"))?;
    }
    Ok(())
}

impl Browser {
    /// Starts it in the lab's outermost namespace, an administrator's machine on
    /// the public segment. `ca` is a PEM file.
    pub fn start(ca: &Path) -> Result<Self> {
        let home = lab::scratch()?.join("browser");
        trust(&home, ca)?;
        let mut command = Command::new("chromedriver");
        command
            .args(["--port=9515", "--allowed-ips=127.0.0.1"])
            .env("HOME", &home)
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME");
        let mut chromedriver =
            Process::start("chromedriver", command, &home.join("chromedriver.log"))?;
        chromedriver.says("started successfully", PATIENCE)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let driver = runtime
            .block_on(open())
            .with_context(|| format!("chromedriver said:\n{}", chromedriver.log()))?;
        Ok(Self {
            driver,
            runtime,
            home,
            findings: RefCell::default(),
            _chromedriver: chromedriver,
        })
    }

    /// Ends the browser's session; without it the driver waits for an answer that nobody reads.
    fn quit(&self) -> Result<()> {
        Ok(self.runtime.block_on(self.driver.clone().quit())?)
    }

    /// Opens a page.
    pub fn goto(&self, url: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.driver.goto(url))?)
    }

    /// The URL shown.
    pub fn url(&self) -> Result<String> {
        Ok(self
            .runtime
            .block_on(self.driver.current_url())?
            .to_string())
    }

    /// The visible element; waits for it. What begins with `/` is an `XPath`, else it is CSS.
    fn element(&self, css: &str) -> Result<WebElement> {
        let by = if css.starts_with('/') {
            By::XPath(css)
        } else {
            By::Css(css)
        };
        let found = self.runtime.block_on(async {
            let query = self.driver.query(by).and_displayed();
            query
                .wait(PATIENCE, Duration::from_millis(50))
                .first()
                .await
        });
        found.with_context(|| format!("no visible `{css}` on the page\n{}", self.shown()))
    }

    /// Clicks the element once it is there and can be clicked.
    pub fn click(&self, css: &str) -> Result<()> {
        eventually(&format!("`{css}` can be clicked"), PATIENCE, || {
            let element = self.element(css)?;
            self.runtime.block_on(element.click())?;
            Ok(Some(()))
        })
        .with_context(|| self.shown())
    }

    /// Replaces the text of a field.
    pub fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.element(css)?;
        self.runtime.block_on(async {
            element.clear().await?;
            element.send_keys(text).await
        })?;
        Ok(())
    }

    /// Presses keys in an element without emptying it.
    pub fn press(&self, css: &str, keys: impl Into<TypingData>) -> Result<()> {
        let element = self.element(css)?;
        Ok(self.runtime.block_on(element.send_keys(keys))?)
    }

    /// The text of an element.
    pub fn text(&self, css: &str) -> Result<String> {
        let element = self.element(css)?;
        Ok(self.runtime.block_on(element.text())?)
    }

    /// The value of a field, or an attribute.
    pub fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        let element = self.element(css)?;
        Ok(self.runtime.block_on(element.prop(name))?)
    }

    /// Waits until an element holds this text.
    pub fn shows(&self, css: &str, text: &str, within: Duration) -> Result<()> {
        let script = "const [css, text] = arguments;
            return [...document.querySelectorAll(css)].some(e => e.innerText.includes(text))";
        eventually(&format!("`{css}` shows `{text}`"), within, || {
            let is = self.eval(script, vec![json!(css), json!(text)])?;
            Ok((is == true).then_some(()))
        })
        .with_context(|| self.shown())
    }

    /// Presses the button, link or menu entry with this text.
    pub fn press_button(&self, text: &str) -> Result<()> {
        self.click(&format!(
            "//*[self::button or self::a or self::summary][normalize-space(.)='{text}']"
        ))
    }

    /// Replaces the text of the field with this label.
    pub fn fill_field(&self, label: &str, text: &str) -> Result<()> {
        let labelled = format!("@id=//label[starts-with(normalize-space(.),'{label}')]/@for");
        self.fill(
            &format!("//*[self::input or self::textarea][{labelled}]"),
            text,
        )
    }

    /// Ticks the box with this label.
    pub fn tick(&self, label: &str) -> Result<()> {
        self.click(&format!(
            "//label[starts-with(normalize-space(.),'{label}')]/input[@type='checkbox']"
        ))
    }

    /// Presses Ctrl+A.
    pub fn select_all(&self) -> Result<()> {
        let press = self.driver.action_chain();
        let press = press
            .key_down(Key::Control)
            .send_keys("a")
            .key_up(Key::Control);
        Ok(self.runtime.block_on(press.perform())?)
    }

    /// Types into what has the focus, as one piece.
    pub fn insert(&self, text: &str) -> Result<()> {
        self.devtools("Input.insertText", json!({ "text": text }))
    }

    fn devtools(&self, method: &str, params: Value) -> Result<()> {
        let devtools = self.driver.cdp();
        self.runtime.block_on(devtools.send_raw(method, params))?;
        Ok(())
    }

    /// Runs a script's body in the page.
    pub fn eval(&self, script: &str, args: Vec<Value>) -> Result<Value> {
        let answer = self.runtime.block_on(self.driver.execute(script, args))?;
        Ok(answer.json().clone())
    }

    /// As [`Self::eval`], for a script that answers by calling its last argument.
    pub fn eval_async(&self, script: &str, args: Vec<Value>) -> Result<Value> {
        let answer = self
            .runtime
            .block_on(self.driver.execute_async(script, args))?;
        Ok(answer.json().clone())
    }

    /// The window's size; the page reflows.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        Ok(self
            .runtime
            .block_on(self.driver.set_window_rect(0, 0, width, height))?)
    }

    /// What the system of the person prefers: `light` or `dark`.
    pub fn prefer(&self, theme: &str) -> Result<()> {
        let feature = json!({ "name": "prefers-color-scheme", "value": theme });
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        )
    }

    /// Saves a picture of the page into the scenario's folder.
    pub fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let file = self.home.join(format!("{name}.png"));
        self.runtime.block_on(self.driver.screenshot(&file))?;
        Ok(file)
    }

    /// What is on the page, for error messages.
    fn shown(&self) -> String {
        let _ = self.screenshot("failure");
        let text = self.eval(
            "return location.pathname + '\\n' + document.body.innerText",
            vec![],
        );
        let text = text.map_or_else(
            |e| e.to_string(),
            |v| v.as_str().unwrap_or_default().to_owned(),
        );
        format!(
            "the page shows:\n{text}\nthe browser logged:\n{}",
            self.complaints().join("\n")
        )
    }

    /// What the browser logged as wrong.
    fn complaints(&self) -> Vec<String> {
        let log = self.runtime.block_on(self.driver.browser_log());
        log.into_iter()
            .flatten()
            .filter(|entry| entry.level == "SEVERE")
            .map(|entry| entry.message)
            // How the console learns that nobody is signed in.
            .filter(|said| !(said.contains("/api/v1/me ") && said.contains("status of 401")))
            // A question that names nothing is refused, and the page says so.
            .filter(|said| !(said.contains("/policy/explain ") && said.contains("status of 422")))
            .collect()
    }

    /// Notes where this page breaks its content security policy, logs an error, is wider than
    /// the window, or violates WCAG 2.1 A or AA as axe-core (its script) sees it.
    pub fn examine(&self, axe: &str, page: &str) -> Result<()> {
        let mut found = self.complaints();
        let violations = self.eval("return window.__violations", vec![])?;
        if violations != json!([]) {
            found.push(format!(
                "the content security policy was broken: {violations}"
            ));
        }
        let fits = "return document.documentElement.scrollWidth <= innerWidth";
        if self.eval(fits, vec![])? != true {
            found.push("it is wider than the window".to_owned());
        }
        self.eval(axe, vec![])?;
        let broken = self.eval_async(AXE, vec![])?;
        if broken != json!([]) {
            found.push(format!("{broken:#}"));
        }
        let mut all = self.findings.borrow_mut();
        all.extend(found.into_iter().map(|f| format!("{page}: {f}")));
        Ok(())
    }

    /// What [`Self::examine`] noted.
    pub fn findings(&self) -> Vec<String> {
        self.findings.borrow().clone()
    }
}

/// Runs axe-core over the page.
const AXE: &str = "const done = arguments[0];
axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
  .then(r => done(r.violations.map(v => ({
     id: v.id, help: v.help, nodes: v.nodes.map(n => n.html).slice(0, 3) }))))
  .catch(e => done(String(e)));";

impl Drop for Browser {
    fn drop(&mut self) {
        if let Err(e) = self.quit() {
            eprintln!("the browser did not end in order: {e:#}");
        }
    }
}

/// A profile whose certificate store holds `ca`.
fn trust(home: &Path, ca: &Path) -> Result<()> {
    for store in [".pki/nssdb", ".local/share/pki/nssdb"] {
        let store = home.join(store);
        std::fs::create_dir_all(&store)?;
        let database = format!("sql:{}", store.display());
        let mut make = Command::new("certutil");
        make.args(["-N", "--empty-password", "-d", &database]);
        run(make, Duration::from_secs(10))?;
        let mut add = Command::new("certutil");
        add.args(["-A", "-t", "C,,", "-n", "warren", "-d", &database, "-i"])
            .arg(ca);
        run(add, Duration::from_secs(10))?;
    }
    Ok(())
}

async fn open() -> WebDriverResult<WebDriver> {
    let mut capabilities = DesiredCapabilities::chrome();
    for arg in [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
        "--lang=en-US",
    ] {
        capabilities.add_arg(arg)?;
    }
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    let driver = WebDriver::new(DRIVER, capabilities).await?;
    driver
        .cdp()
        .send_raw(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": WATCH }),
        )
        .await?;
    Ok(driver)
}
