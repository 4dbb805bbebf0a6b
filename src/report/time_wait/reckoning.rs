//! From sockets to the report: they are counted as they come, the groups judged, their owners named,
//! and what to do is told. Each step asks for no more than the one before left open.

use super::{
    advice::{self, Situation},
    attribution::Attribution,
    closes::Closes,
    expected,
    figures::TimeWait,
    groups::{self, Group, whole},
    key::{Key, Side},
    listeners::Listeners,
    verdict::{self, Verdict, Why},
};
use crate::{
    collect::census::{Asked, Ledger, Open},
    model::{owner::Owners, settings::Settings, snapshot::Snapshot, socket::Socket},
    report::ephemeral::EphemeralPorts,
};
use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashSet},
};

/// Bytes of a mini-socket (`tw_sock_TCP` and `tw_sock_TCPv6`, measured on 6.18).
const MINI_BYTES: u64 = 256;
/// Bytes of the two bind buckets that the last user of a local port keeps.
const BIND_BYTES: u64 = 256;
/// Open connections of one group that are followed to see who closes them, and of all groups: to ask
/// for one costs as much as ten sockets of a dump.
const FOLLOWED: usize = 256;
const FOLLOWED_IN_ALL: usize = 512;

/// A report in the making.
pub struct Reckoning {
    closes: Closes,
    settings: Settings,
    limit: Option<usize>,
    groups: Vec<Group>,
    /// Groups of the connections that were handed out to be followed.
    followed: Vec<(usize, u64)>,
}

impl Reckoning {
    /// Of a namespace with these listeners, and other sockets perhaps, which count for nothing yet;
    /// at most so many groups are to be shown. Of the snapshot settings, counters and who was seen
    /// alive before are read.
    pub fn begin(
        snapshot: &Snapshot,
        listening: impl IntoIterator<Item: Borrow<Socket>>,
        limit: Option<usize>,
    ) -> Self {
        let window_ms = expected::window_ms(snapshot);
        Self {
            closes: Closes::new(snapshot, Listeners::of(listening), window_ms),
            settings: snapshot.settings.clone(),
            limit,
            groups: vec![],
            followed: vec![],
        }
    }

    /// All sockets have come: judges the groups.
    pub fn judge(&mut self) {
        let closes = &mut self.closes;
        closes.settle();
        // Without a destination nobody asks how many ports there are.
        let ephemeral = (closes.all.count > 0).then(|| {
            let uses = closes.outgoing.iter().map(|(to, out)| (to.peer, out.uses.as_slice()));
            let listens = |end| closes.listeners.have(end);
            EphemeralPorts::among(&self.settings, closes.listeners.ports(), uses, listens)
        });
        self.groups = groups::of(closes, &self.settings, ephemeral.flatten().as_ref());
    }

    /// Places of the groups whose owners are told, or ask for other advice.
    fn told(&self) -> BTreeSet<usize> {
        let shown = 0..self.groups.len().min(self.limit.unwrap_or(usize::MAX));
        shown.chain(advice::concerned(&self.groups)).collect()
    }

    /// Keys of the groups in these places.
    fn keys(&self, places: &BTreeSet<usize>) -> impl Iterator<Item = Key> + Clone {
        places.iter().filter_map(|place| Some(self.groups.get(*place)?.key))
    }

    /// Inodes of the sockets whose holders have to be known. `None`: enough is known.
    fn inodes(&self) -> Option<HashSet<u64>> {
        let told = self.told();
        let keys = self.keys(&told);
        if let Some(holders) = &self.closes.holders {
            let known = Attribution::of(&self.closes, holders, keys.clone());
            if keys.clone().all(|key| known.is_known(key)) {
                return None;
            }
        }
        let nothing = Owners::default();
        let all = Attribution::of(&self.closes, &nothing, keys.clone());
        Some(keys.flat_map(|key| all.inodes(key)).collect())
    }

    /// Open connections of the groups in which connections are being closed: which of them are in
    /// TIME_WAIT a moment later tells for certain who closes.
    /// With `known` only those whose holders a part of the descriptors told.
    fn follow(&mut self, known: bool) -> Vec<Open> {
        let mut open = vec![];
        for place in self.told() {
            let Some(group) = self.groups.get(place).filter(|g| g.rate_per_second > 0.0) else {
                continue;
            };
            let most = FOLLOWED.min(FOLLOWED_IN_ALL - open.len());
            let more = self.closes.open_of(group.key, most, known);
            self.followed.extend(more.iter().map(|one| (place, one.inode)));
            open.extend(more);
        }
        open
    }

    /// The report. Of the snapshot everything but its sockets is read.
    pub fn report(mut self, snapshot: &Snapshot) -> TimeWait {
        let told = self.told();
        let keys: Vec<Key> = self.keys(&told).collect();
        let Self { closes, groups, limit, .. } = &mut self;
        if !told.is_empty() {
            let attribution = Attribution::of(closes, &snapshot.owners, keys.into_iter());
            for place in told {
                if let Some(group) = groups.get_mut(place) {
                    let parties = attribution.parties(group.key);
                    (group.owners, group.peer_owners) = (parties.owners, parties.peer_owners);
                }
            }
        }
        let total = closes.all.count;
        let orphans = closes.orphans;
        let expected = expected::of(snapshot, &closes.all, orphans);
        let overflows = snapshot.growth("TcpExt.TCPTimeWaitOverflow");
        let buckets = snapshot.settings.number("net.ipv4.tcp_max_tw_buckets");
        let on = |side| groups.iter().filter(|g| g.side == side).map(|g| g.count).sum();
        let (server_side, client_side) = (on(Side::Server), on(Side::Client));

        let table_limit = buckets.and_then(|limit| u32::try_from(limit).ok());
        let of_all = [
            verdict::table(total + orphans, table_limit, overflows, expected.total, expected.trend),
            verdict::collisions(snapshot),
        ];
        let mut reasons: Vec<Why> = groups.first().map(|worst| worst.reason).into_iter().collect();
        reasons.extend(of_all.into_iter().flatten());
        if reasons.is_empty() {
            reasons.push(Why::Nothing);
        }
        // Worst first; of equals the groups' before the rest.
        reasons.sort_by_key(|why| std::cmp::Reverse(why.verdict()));
        let verdict = reasons.first().map_or(Verdict::Harmless, |why| why.verdict());
        let situation = Situation {
            snapshot,
            listeners: &closes.listeners,
            groups,
            orphans,
            total,
            expected: expected.total,
            reasons: &reasons,
        };
        let (advice, avoid) = (advice::remedies(&situation), advice::avoid(&situation));
        let left_out = limit.map_or(0, |limit| groups.len().saturating_sub(limit));
        groups.truncate(limit.unwrap_or(usize::MAX));
        TimeWait {
            total,
            server_side,
            client_side,
            limit: buckets,
            window_ms: snapshot.window_ms(),
            rate_per_second: expected.rate_per_second,
            rate_source: expected.source,
            expected_total: expected.total,
            trend: expected.trend,
            overflows,
            recycled: snapshot.growth("TcpExt.TWRecycled"),
            orphan_fin_wait_2: orphans,
            memory_bytes: u64::from(total + orphans) * MINI_BYTES
                + u64::from(client_side) * BIND_BYTES,
            clear_in_ms: closes.all.left_ms,
            age_histogram: closes.all.histogram(),
            closed_per_second: closes.all.per_second(),
            verdict,
            reasons,
            groups: std::mem::take(groups),
            groups_left_out: whole(left_out),
            owners_sampled: snapshot.owners.are_sample(),
            advice,
            avoid,
        }
    }
}

impl Ledger for Reckoning {
    fn enter(&mut self, socket: &Socket) {
        self.closes.add(socket);
    }

    fn asks(&mut self) -> Asked {
        self.judge();
        let inodes = self.inodes();
        let open = self.follow(inodes.is_none());
        Asked { inodes: inodes.unwrap_or_default(), open }
    }

    fn ended(&mut self, place: usize) {
        let followed = self.followed.get(place).copied();
        if let Some((group, inode)) = followed
            && let Some(group) = self.groups.get(group)
        {
            self.closes.saw(group.key, inode);
        }
    }
}
