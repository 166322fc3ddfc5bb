//! The lab as a measuring stand: the same Modbus transactions over lines that differ in what stands between their ends.
//!
//! One thread owns both ends of every line, at a real-time priority and on one CPU: what is measured is the way of the
//! frames, not how fast another thread wakes up. The lines take turns in short rounds, so that whatever else the machine
//! does meets all of them; a cable without a box is one of them.

mod aims;
mod costs;
mod line;
pub mod page;
mod pair;
mod plot;
mod run;
mod small;
mod spread;
mod suricata;
mod table;

pub use aims::aims;
pub use costs::{Costs, costs, policy};
pub use line::{Kind, Line};
pub use plot::plot;
pub use run::{Extent, Findings, Row, run};
pub use small::Flood;
pub use spread::Spread;
pub use table::table;
