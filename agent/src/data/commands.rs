//! What the rest of the agent asks for.

use tokio::sync::mpsc::error::TryRecvError;

use super::{
    Command, budget,
    thread::{DataThread, Next},
};

impl DataThread {
    /// Takes what waits, up to a portion.
    pub(super) fn take_commands(&mut self) -> Next {
        self.bell.clear();
        for _ in 0..budget::COMMANDS {
            match self.commands.try_recv() {
                Ok(command) => {
                    if self.obey(command) == Next::End {
                        return Next::End;
                    }
                }
                Err(TryRecvError::Empty) => {
                    self.drain();
                    return Next::GoOn;
                }
                Err(TryRecvError::Disconnected) => return Next::End,
            }
        }
        self.drain();
        self.bell.ring();
        Next::GoOn
    }

    fn obey(&mut self, command: Command) -> Next {
        let now = self.clock.now();
        match command {
            Command::RelayPacket {
                region,
                from,
                bytes,
            } => {
                // Packets of several commands share a train, as those of several reads do.
                self.node.handle_relay(region, from, &bytes, now);
                self.drain_full();
                return Next::GoOn;
            }
            Command::SetNetmap { netmap, wall } => self.node.set_netmap(&netmap, wall, now),
            Command::SetIdentity(secret) => self.node.set_identity(secret, now),
            Command::RelayState { region, state } => {
                self.node.handle_relay_state(region, state, now);
            }
            Command::HttpsLatency(latency) => self.node.set_https_latency(latency, now),
            Command::LinkChanged { addresses } => {
                self.set_addresses(&addresses);
                self.node.link_changed(now);
            }
            Command::Ping { peer, reply } => {
                let id = self.node.ping(peer, now);
                self.pings.push((id, reply));
            }
            Command::Status { reply } => {
                let _ = reply.send(self.node.status(now));
            }
            Command::Netcheck { reply } => {
                self.netchecks.push(reply);
                self.node.start_netcheck(now);
            }
            Command::Shutdown => return Next::End,
        }
        self.drain();
        Next::GoOn
    }
}
