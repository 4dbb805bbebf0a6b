//! Names of addresses, by reverse look-up. Never waits longer than it was told to.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// How many look-ups run at once.
const WORKERS: usize = 8;

/// The addresses of a host, as the machine's resolver gives them; empty: it has none.
pub fn of_host(name: &str) -> Vec<IpAddr> {
    let mut addresses = dns_lookup::lookup_host(name).map(Vec::from_iter).unwrap_or_default();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

type Answer = (IpAddr, Option<String>);

/// Looks names up in the background and keeps the answers.
#[derive(Debug)]
pub struct Resolver {
    questions: Sender<IpAddr>,
    answers: Receiver<Answer>,
    asked: HashSet<IpAddr>,
    names: HashMap<IpAddr, Option<String>>,
    /// What is left of the time the user is made to wait, over all calls.
    patience: Duration,
}

impl Resolver {
    /// Starts the workers; `patience` is how long all calls of [`Self::wait_for`] may wait together.
    pub fn start(patience: Duration) -> Self {
        let (questions, queue) = mpsc::channel::<IpAddr>();
        let (sender, answers) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..WORKERS {
            let (queue, sender) = (Arc::clone(&queue), sender.clone());
            // Detached: a look-up cannot be interrupted, and the program must not wait for it.
            thread::spawn(move || {
                loop {
                    let next = queue.lock().map(|queue| queue.recv());
                    let Ok(Ok(address)) = next else { return };
                    if sender.send((address, look_up(address))).is_err() {
                        return;
                    }
                }
            });
        }
        Self { questions, answers, asked: HashSet::new(), names: HashMap::new(), patience }
    }

    /// Asks for these addresses and waits until all are answered or the patience is used up.
    pub fn wait_for(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        for address in addresses {
            if !address.is_unspecified() && self.asked.insert(address) {
                let _ = self.questions.send(address);
            }
        }
        let start = Instant::now();
        while self.names.len() < self.asked.len() {
            let left = self.patience.saturating_sub(start.elapsed());
            let Ok((address, name)) = self.answers.recv_timeout(left) else {
                break;
            };
            self.names.insert(address, name);
        }
        self.patience = self.patience.saturating_sub(start.elapsed());
    }

    /// The name of an address; `None`: it has none, or no answer came in time.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.names.get(&address)?.as_deref()
    }

    /// Addresses without an answer.
    pub fn unanswered(&self) -> usize {
        self.asked.len() - self.names.len()
    }
}

/// `getnameinfo` answers with the address itself where there is no name.
fn look_up(address: IpAddr) -> Option<String> {
    dns_lookup::lookup_addr(&address).ok().filter(|name| name.parse::<IpAddr>().is_err())
}
