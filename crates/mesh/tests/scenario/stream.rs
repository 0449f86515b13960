//! Numbered packets, and which of them arrive.

use std::time::Duration;

use crate::world::{World, millis};

/// Numbered packets from one node to another, one every 10 ms.
pub(crate) struct Stream {
    from: usize,
    to: usize,
    port: u16,
    sent: usize,
    got: Vec<bool>,
}

impl Stream {
    const PERIOD: Duration = millis(10);

    pub(crate) fn new(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            port: 9,
            sent: 0,
            got: Vec::new(),
        }
    }

    /// How many packets are sent in a time.
    pub(crate) fn per(time: Duration) -> usize {
        usize::try_from(time.as_millis() / Self::PERIOD.as_millis()).unwrap()
    }

    /// Sends one packet and lets half a period pass.
    pub(crate) fn step(&mut self, world: &mut World) {
        let number = u32::try_from(self.sent).unwrap().to_be_bytes();
        self.sent += 1;
        self.got.push(false);
        world.send(self.from, self.to, self.port, &number);
        world.run(Self::PERIOD / 2);
        self.collect(world);
    }

    pub(crate) fn run(&mut self, world: &mut World, time: Duration) {
        for _ in 0..Self::per(time) {
            self.step(world);
            world.run(Self::PERIOD / 2);
        }
        world.run(millis(500));
        self.collect(world);
    }

    /// Looks at what has arrived.
    pub(crate) fn collect(&mut self, world: &mut World) {
        for payload in world.take_payloads(self.to) {
            let number: [u8; 4] = payload[..4].try_into().unwrap();
            let seen = &mut self.got[u32::from_be_bytes(number) as usize];
            assert!(!*seen, "a packet arrives once");
            *seen = true;
        }
    }

    pub(crate) const fn sent(&self) -> usize {
        self.sent
    }

    /// The numbers that have not arrived.
    pub(crate) fn lost(&self) -> Vec<usize> {
        (0..self.sent).filter(|n| !self.got[*n]).collect()
    }
}
