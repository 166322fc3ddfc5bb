//! What a heap of times comes to.

/// Quantiles of times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many times.
    pub count: usize,
    pub p50: u32,
    pub p90: u32,
    pub p99: u32,
    pub p999: u32,
    pub most: u32,
}

impl Spread {
    /// Of these times, in any order.
    pub fn of(mut times: Vec<u32>) -> Spread {
        times.sort_unstable();
        let at = |part: f64| {
            let last = times.len().saturating_sub(1);
            times.get((last as f64 * part) as usize).copied().unwrap_or_default()
        };
        Spread { count: times.len(), p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), most: at(1.0) }
    }
}
