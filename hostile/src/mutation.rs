//! Inputs: a corpus, then what comes of it.

/// An endless row of inputs, the same for the same corpus: first the corpus as it is, then inputs
/// of it with one to eight faults.
#[derive(Clone, Debug)]
pub struct Inputs {
    corpus: Vec<Vec<u8>>,
    next: usize,
    random: Random,
}

/// No datagram is longer, and descriptions that matter are not either.
const LONGEST: usize = 65_536;

/// Octets at which lengths, counts and signs turn.
const EDGES: [u8; 10] = [0, 1, 2, 0x0f, 0x10, 0x7f, 0x80, 0xbe, 0xfe, 0xff];

impl Inputs {
    /// Inputs of a corpus. An empty one counts as one empty input.
    pub fn new(mut corpus: Vec<Vec<u8>>) -> Self {
        if corpus.is_empty() {
            corpus.push(Vec::new());
        }
        Self { corpus, next: 0, random: Random(0) }
    }

    fn mutate(&mut self) -> Vec<u8> {
        let Self { corpus, random, .. } = self;
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(8) {
            let length = input.len();
            let at = random.below(length + 1);
            let behind = at + random.below(length - at + 1).min(random.below(32));
            match random.below(8) {
                0 | 1 if at < length => input[at] ^= 1 << random.below(8),
                2 if at < length => input[at] = EDGES[random.below(EDGES.len())],
                3 if at < length => input[at] = random.next() as u8,
                4 => input.insert(at, random.next() as u8),
                5 => input.truncate(at),
                6 => drop(input.drain(at..behind)),
                // A part twice.
                7 => {
                    let part = input[at..behind].to_vec();
                    input.splice(at..at, part);
                }
                // The end of another one.
                _ => {
                    let other = &corpus[random.below(corpus.len())];
                    let from = random.below(other.len() + 1);
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
            }
        }
        input.truncate(LONGEST);
        input
    }
}

impl Iterator for Inputs {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let seed = self.corpus.get(self.next).cloned();
        self.next = self.next.saturating_add(1);
        Some(seed.unwrap_or_else(|| self.mutate()))
    }
}

/// SplitMix64.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
