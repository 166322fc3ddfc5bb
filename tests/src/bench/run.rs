//! The rounds, and what they find.

use std::path::Path;
use std::time::{Duration, Instant};

use super::small::{self, Flood};
use super::{Kind, Line, Spread, suricata};

/// Every line, in the order of the table.
const KINDS: [Kind; 14] = [
    Kind::Cable,
    Kind::Bridge,
    Kind::EmptyPass,
    Kind::EmptyRedirect,
    Kind::Enforcer { fast: false, enforce: false },
    Kind::Enforcer { fast: false, enforce: true },
    Kind::Enforcer { fast: true, enforce: false },
    Kind::Enforcer { fast: true, enforce: true },
    Kind::Nftables(1),
    Kind::Nftables(10),
    Kind::Nftables(100),
    Kind::Nftables(1000),
    Kind::Suricata { beside: false },
    Kind::Suricata { beside: true },
];

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How often everything is built anew: where memory lies, and so how well it fits the caches, is another each time.
    pub stands: usize,
    /// Rounds of each in which every line has its turn.
    pub rounds: usize,
    /// Transactions of a turn.
    pub turn: usize,
    /// Transactions of each line and stand at a hundred in a second.
    pub paced: usize,
    /// Turns of small frames in each stand, and how long one lasts.
    pub floods: usize,
    pub flood: Duration,
}

impl Extent {
    /// Enough for the tails: two or three minutes.
    pub const FULL: Extent =
        Extent { stands: 3, rounds: 17, turn: 1000, paced: 1000, floods: 2, flood: Duration::from_millis(200) };
    /// Enough to see that it works.
    pub const SHORT: Extent =
        Extent { stands: 1, rounds: 4, turn: 50, paced: 20, floods: 1, flood: Duration::from_millis(50) };
}

/// What was found of one line.
#[derive(Clone, Debug)]
pub struct Row {
    pub kind: Kind,
    /// One transaction behind the other.
    pub flat_out: Spread,
    /// Their median in each stand, nanoseconds.
    pub medians: Vec<u32>,
    /// A hundred transactions in a second.
    pub paced: Spread,
    /// Frames of 60 bytes: the median of the turns.
    pub flood: Flood,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    pub rows: Vec<Row>,
    /// False when other processes could come between.
    pub undisturbed: bool,
    /// The version of Suricata, or why its lines are left out.
    pub suricata: Result<String, String>,
}

impl Findings {
    /// The row of a line.
    pub fn row(&self, kind: Kind) -> Option<&Row> {
        self.rows.iter().find(|row| row.kind == kind)
    }
}

/// What one stand, or several, came to, by line.
struct Times {
    flat_out: Vec<Vec<u32>>,
    medians: Vec<Vec<u32>>,
    paced: Vec<Vec<u32>>,
    floods: Vec<Vec<Flood>>,
}

impl Times {
    /// Nothing yet of so many lines.
    fn none(lines: usize) -> Times {
        let (flat_out, medians) = (vec![Vec::new(); lines], vec![Vec::new(); lines]);
        Times { flat_out, medians, paced: vec![Vec::new(); lines], floods: vec![Vec::new(); lines] }
    }

    /// Adds everything that is measured of lines that stand.
    fn measure(&mut self, lines: &mut [Line], extent: Extent) -> Result<(), String> {
        for ((times, all), medians) in rounds(lines, extent)?.into_iter().zip(&mut self.flat_out).zip(&mut self.medians)
        {
            all.extend(&times);
            medians.push(Spread::of(times).p50);
        }
        paced(lines, extent.paced, &mut self.paced)?;
        floods(lines, extent, &mut self.floods)
    }

    fn rows(self, kinds: Vec<Kind>) -> Vec<Row> {
        let Times { flat_out, medians, paced, floods } = self;
        let rows = kinds.into_iter().zip(flat_out).zip(medians).zip(paced).zip(floods);
        let row = |((((kind, flat_out), medians), paced), floods)| Row {
            kind,
            flat_out: Spread::of(flat_out),
            medians,
            paced: Spread::of(paced),
            flood: small::median(floods),
        };
        rows.map(row).collect()
    }
}

/// Measures all lines in turns.
///
/// # Errors
/// One sentence: which line failed, and how.
pub fn run(enforcer: &Path, extent: Extent) -> Result<Findings, String> {
    let suricata = suricata::version();
    let wanted = |kind: &Kind| !matches!(kind, Kind::Suricata { .. }) || suricata.is_ok();
    let kinds: Vec<Kind> = KINDS.into_iter().filter(wanted).collect();
    let mut times = Times::none(kinds.len());
    let mut undisturbed = true;
    for _ in 0..extent.stands {
        let mut lines = kinds.iter().map(|kind| Line::build(*kind, enforcer)).collect::<Result<Vec<_>, _>>()?;
        // A thread of its own: the priority ends with it.
        undisturbed &= std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let undisturbed = crate::sys::undisturbed();
                times.measure(&mut lines, extent).map(|()| undisturbed)
            });
            work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
    }
    Ok(Findings { rows: times.rows(kinds), undisturbed, suricata })
}

/// Others must get at the CPU now and then: what has the highest priority for too long is stopped by the kernel.
const BREATH: Duration = Duration::from_millis(2);

/// Transactions at the beginning of a turn that are not counted: they find the caches as another line left them. One cold one in
/// a turn of a thousand would be all that p99.9 shows; how cold ones do is the table of the paced lines.
const WARM_UP: usize = 20;

fn rounds(lines: &mut [Line], extent: Extent) -> Result<Vec<Vec<u32>>, String> {
    let mut times = vec![Vec::with_capacity(extent.rounds * extent.turn); lines.len()];
    for round in 0..=extent.rounds {
        for (line, times) in lines.iter_mut().zip(&mut times) {
            for _ in 0..WARM_UP {
                transact(line)?;
            }
            for _ in 0..extent.turn {
                let took = transact(line)?;
                // The first round warms up.
                if round != 0 {
                    times.push(took);
                }
            }
            std::thread::sleep(BREATH);
        }
    }
    Ok(times)
}

/// Every line has one transaction each hundredth of a second.
fn paced(lines: &mut [Line], count: usize, times: &mut [Vec<u32>]) -> Result<(), String> {
    let every = Duration::from_millis(10);
    let mut due = Instant::now();
    for tick in 0..count {
        // Another one begins each time: the first after a sleep finds the caches cold.
        for place in 0..lines.len() {
            let place = (tick + place) % lines.len();
            if let (Some(line), Some(times)) = (lines.get_mut(place), times.get_mut(place)) {
                times.push(transact(line)?);
            }
        }
        due += every;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn transact(line: &mut Line) -> Result<u32, String> {
    let took = line.pair.transact().map_err(|error| format!("{}: a transaction failed: {error}", line.kind))?;
    Ok(u32::try_from(took.as_nanos()).unwrap_or(u32::MAX))
}

fn floods(lines: &[Line], extent: Extent, all: &mut [Vec<Flood>]) -> Result<(), String> {
    for _ in 0..extent.floods {
        for (line, floods) in lines.iter().zip(all.iter_mut()) {
            let flood = small::flood(line, extent.flood).map_err(|error| format!("{}: {error}", line.kind))?;
            floods.push(flood);
            std::thread::sleep(BREATH);
        }
    }
    Ok(())
}
