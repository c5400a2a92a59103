//! The loop: one event, then every order that comes of it.

use std::time::Duration;

use patchmesh_core::input::Input;
use patchmesh_core::output::Output;
use patchmesh_net::{Command, Event};
use patchmesh_store::SyncError;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::answers;
use crate::drive::carry::Halt;
use crate::drive::finished::Finished;
use crate::drive::node::Node;
use crate::drive::query::Query;

/// Chunks written are made durable at the latest after this.
const SYNC_EVERY: Duration = Duration::from_secs(2);
/// Recorded inputs are handed to the system at the latest after this.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at the room of a full store, and at the wanted lines.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The network may take this long to close its connections.
const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// Where the driver's events come from.
pub(crate) struct Ears {
    /// Finished work of blocking tasks.
    pub(crate) finished: mpsc::Receiver<Finished>,
    /// Events of the network.
    pub(crate) events: mpsc::Receiver<Event>,
}

/// Runs a node until it is told to stop, the network ends or the disk fails.
pub(crate) async fn run(node: &mut Node, ears: Ears) -> Result<(), Halt> {
    match turn(node, ears).await {
        // What was not durable has not become visible.
        Err(Halt::Stopped) => Ok(()),
        ended => ended,
    }
}

async fn turn(node: &mut Node, mut ears: Ears) -> Result<(), Halt> {
    let mut sync = interval(SYNC_EVERY);
    sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut flush = interval(FLUSH_EVERY);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    node.carry_all().await?;
    node.look_at_packs();
    loop {
        let wake = node
            .wake
            .map(|time| Instant::from_std(node.clock.instant(time)));
        tokio::select! {
            biased;
            () = node.stop.cancelled() => break,
            Some(finished) = ears.finished.recv() => node.take_finished(finished).await,
            Some(query) = node.queries.recv() => node.take_query(query),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                node.feed(Input::Tick);
            }
            () = sleep_until(node.renew_at), if node.settings.renewal.is_some() => node.renew(),
            _ = sync.tick() => node.sync(),
            _ = flush.tick() => node.recorder.flush(),
            _ = look.tick() => {
                node.look_for_room();
                node.look_at_lines();
                node.look_at_clock().await;
            }
            event = ears.events.recv() => match event {
                Some(event) => node.take_event(event),
                None => break,
            },
        }
        node.drain().await?;
        node.end_reading();
    }
    Ok(())
}

/// Ends a node: the network first, then what is not yet durable.
pub(crate) async fn close(node: Node) -> Result<(), SyncError> {
    let Node {
        net,
        store,
        socket,
        mut recorder,
        ..
    } = node;
    recorder.flush();
    if let Err(error) = std::fs::remove_file(&socket) {
        tracing::debug!(error = %error, "the control socket was gone already");
    }
    if net.commands.send(Command::Shutdown).await.is_ok() {
        drop(tokio::time::timeout(SHUTDOWN_MAX, net.task).await);
    }
    let closed = tokio::task::spawn_blocking(move || store.close());
    closed
        .await
        .expect("closing the store does not panic")
        .map(drop)
}

impl Node {
    /// Puts an input in line; the next drain takes it to the engine.
    pub(crate) fn feed(&mut self, input: Input) {
        self.line.push_back(input);
    }

    /// Takes waiting inputs to the engine, one by one, and carries out every
    /// order of one before the next.
    async fn drain(&mut self) -> Result<(), Halt> {
        while let Some(input) = self.line.pop_front() {
            let now = self.clock.now();
            self.recorder.input(&input, now);
            self.engine.handle(input, now);
            self.carry_all().await?;
        }
        Ok(())
    }

    async fn carry_all(&mut self) -> Result<(), Halt> {
        loop {
            let output = self.engine.poll();
            self.recorder.output(&output);
            let last = matches!(output, Output::Wait(_));
            self.carry(output).await?;
            if last {
                return Ok(());
            }
        }
    }

    fn sync(&mut self) {
        if self.store.usage().pending_bytes == 0 {
            return;
        }
        let store = self.store.clone();
        self.spawn(move || Finished::Synced(store.sync()));
    }

    /// Answers a question of the control socket.
    pub(crate) fn take_query(&mut self, query: Query) {
        // Who asked may have hung up: their answers go nowhere, on purpose.
        match query {
            Query::Command(command, reply) => self.take_command(command, reply),
            Query::Corrupt(content, to) => drop(to.send(self.corrupt.of(&content))),
            Query::Events(since, to) => drop(to.send(self.notices.answer(since))),
            Query::Peers(to) => drop(to.send(answers::peers(self))),
            Query::Status(to) => drop(to.send(answers::status(self))),
        }
    }
}
