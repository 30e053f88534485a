//! Leases: which process runs a schedule, when several share one database.

use std::time::Duration;

use model::Timestamp;

use crate::{Error, Store};

impl Store {
    /// Takes the lease `name` for `holder` until `ttl` from now, or renews it. `false` when
    /// somebody else holds it, or is taking it at this moment.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool, Error> {
        match self.try_lease(name, holder, ttl).await {
            Err(Error::Busy) => Ok(false),
            other => other,
        }
    }

    async fn try_lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool, Error> {
        let now: Timestamp = self.clock().now();
        let mut tx = self.begin().await?;
        let taken = tx
            .execute(
                "INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
                 WHERE lease.holder = excluded.holder OR lease.until <= $4",
                &[
                    name.into(),
                    holder.into(),
                    now.after(ttl).into(),
                    now.into(),
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(taken == 1)
    }

    /// Gives the lease back, if `holder` has it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn release(&self, name: &str, holder: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute(
            "DELETE FROM lease WHERE name = $1 AND holder = $2",
            &[name.into(), holder.into()],
        )
        .await?;
        tx.commit().await
    }
}
