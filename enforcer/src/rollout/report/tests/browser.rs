//! The HTML report in a real browser, where one is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{build, html};
use super::{Box, full};

/// Names under which the browser is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn browser() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let all = std::env::split_paths(&paths).flat_map(|path| BROWSERS.map(|name| path.join(name)));
    all.into_iter().find(|path| path.is_file())
}

/// What the browser made of a file, and what it complained of.
fn opened(browser: &Path, file: &Path, home: &Path) -> (String, String) {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_browser_shows_every_group_and_complains_of_nothing() {
    let Some(browser) = browser() else {
        println!("not tested: no browser is installed (Debian: apt-get install chromium)");
        return;
    };
    // Who wants to look at the pages names a directory to leave them in.
    let kept = std::env::var_os("ENFORCER_REPORT_OUT").map(PathBuf::from);
    let home =
        kept.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("enforcer-report-{}", std::process::id())));
    std::fs::create_dir_all(&home).unwrap();
    let policy = Box::example("setpoint.toml");
    let empty = Box::of("[policy]\nname = \"empty\"\n");
    for (name, report) in [("full", build(&full(&policy))), ("empty", build(&empty.input(Vec::new())))] {
        let file = home.join(format!("{name}.html"));
        std::fs::write(&file, html(&report)).unwrap();
        let (dom, said) = opened(&browser, &file, &home);
        assert!(dom.contains("</html>"), "{said}");
        for group in &report.groups {
            assert!(dom.contains(&format!("id=\"group-{}\"", group.id)), "{} is missing: {said}", group.id);
        }
        let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert_eq!(complaints, [""; 0]);
    }
    if kept.is_none() {
        std::fs::remove_dir_all(home).unwrap();
    }
}
