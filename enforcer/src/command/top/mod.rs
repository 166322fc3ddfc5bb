//! `enforcer top`: the box live on a terminal, down to a serial line of 80x24.
//!
//! Two threads fetch what the daemon says; this one draws it, once a second and after a key. Only what changed is sent to
//! the terminal. Colours help and are never needed; borders are ASCII.

mod feed;
mod pen;
mod row;
mod state;
mod table;
mod view;

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use self::feed::News;
use self::state::State;
use super::Live;
use super::show::{complain, print};

/// Time between two drawings that nobody asked for.
const TICK: Duration = Duration::from_secs(1);

/// News that wait at most: the daemon tells who reads too slowly how much was missed.
const WAITING: usize = 1024;

/// Runs until a key ends it. Exit code: 0, 2 where there is no terminal, 1 when the terminal fails.
pub(super) fn run(live: &Live) -> u8 {
    if live.json {
        return complain(
            "enforcer top draws on a terminal; for JSON there are `enforcer status` and `enforcer events`",
            2,
        );
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return complain(
            "enforcer top needs a terminal; elsewhere there are `enforcer status` and `enforcer events`",
            2,
        );
    }
    let (sender, news) = sync_channel(WAITING);
    feed::start(&live.socket, &sender);
    // Takes the screen, and gives it back also when something panics.
    let ended = match ratatui::try_init() {
        Ok(mut terminal) => {
            let ended = watch(&mut terminal, &news);
            ratatui::restore();
            ended
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => 0,
        Err(error) => {
            print("");
            complain(format!("the terminal can't be used: {error}"), 1)
        }
    }
}

fn watch(terminal: &mut DefaultTerminal, news: &Receiver<News>) -> std::io::Result<()> {
    let begun = Instant::now();
    let mut state = State::new(std::env::var_os("NO_COLOR").is_none());
    let mut drawn: Option<Instant> = None;
    loop {
        let now = begun.elapsed();
        while let Ok(one) = news.try_recv() {
            state.take(now, one);
        }
        if drawn.is_none_or(|drawn| drawn.elapsed() >= TICK) {
            terminal.draw(|frame| view::draw(frame, &state, now))?;
            drawn = Some(Instant::now());
        }
        let left = drawn.map_or(TICK, |drawn| TICK.saturating_sub(drawn.elapsed()));
        // In short steps while nothing was heard yet, so that the first page does not wait.
        let step = if state.is_empty() { Duration::from_millis(50) } else { left };
        if !event::poll(step)? {
            if state.is_empty() {
                drawn = None;
            }
            continue;
        }
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if !obey(&mut state, key) {
                    return Ok(());
                }
                drawn = None;
            }
            Event::Resize(..) => drawn = None,
            Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) => {}
        }
    }
}

/// False for a key that ends it.
fn obey(state: &mut State, key: KeyEvent) -> bool {
    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    if interrupt || key.code == KeyCode::Char('q') {
        return false;
    }
    if key.code == KeyCode::Esc {
        // Out of the help first.
        return std::mem::take(&mut state.help);
    }
    if key.code == KeyCode::Char('p') {
        state.pause();
    } else if key.code == KeyCode::Char('?') || key.code == KeyCode::Char('h') {
        state.help = !state.help;
    } else if key.code == KeyCode::Up {
        state.scroll(-1, 0);
    } else if key.code == KeyCode::Down {
        state.scroll(1, 0);
    } else if key.code == KeyCode::PageUp {
        state.scroll(-10, 0);
    } else if key.code == KeyCode::PageDown {
        state.scroll(10, 0);
    } else if key.code == KeyCode::Left {
        state.scroll(0, -10);
    } else if key.code == KeyCode::Right {
        state.scroll(0, 10);
    } else if key.code == KeyCode::Home {
        state.scroll(isize::MIN, isize::MIN);
    }
    true
}

#[cfg(test)]
mod tests;
