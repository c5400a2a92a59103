//! What time asks for: a wrong wall clock is told and a repaired one lets the node
//! go on with a new certificate (T-36); a timestamp that gets old is told (T-37).

use patchmesh_core::catalog::clock::Skew;
use patchmesh_core::input::Input;
use patchmesh_net::Command;

use crate::drive::node::Node;
use crate::{identity, troubles};

impl Node {
    /// Looks whether the clock contradicts what was signed, whether the timestamp
    /// gets old, and whether the certificate still holds.
    pub(crate) async fn look_at_clock(&mut self) {
        let now = self.clock.now();
        if now.is_set_since(self.looked_at) {
            tracing::info!("the clock of this machine was set");
            self.feed(Input::Tick);
        }
        self.looked_at = now;
        let skew = self.engine.skew(now);
        self.trouble("clock", skew.map(|skew| troubles::clock(skew, now.utc)));
        let ageing = self.engine.ageing(now);
        self.trouble("timestamp", ageing.and_then(troubles::ageing));
        let utc = self.engine.utc(now);
        // By a clock that is ahead everything looks expired; the present one serves.
        if !matches!(skew, Some(Skew::Ahead(_))) && identity::is_due(self.validity, utc) {
            let validity = identity::validity(utc);
            let origin = self.settings.repository.is_some();
            let (key, site) = (&self.key, &self.settings.site);
            match identity::certificate(key, &self.mesh_id, site, origin, validity) {
                Ok(certificate) => {
                    self.validity = validity;
                    let certificate = Box::new(certificate);
                    self.tell(Command::SetCertificate(certificate)).await;
                    tracing::info!("issued the certificate of this node anew");
                }
                Err(error) => tracing::warn!(%error, "the certificate could not be issued anew"),
            }
        }
    }
}
