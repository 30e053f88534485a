//! The shop's invented data, in a database in memory, and the queries that open it to anybody.

use anyhow::Context as _;
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};

/// LIMIT: rows of one answer.
const ROWS_MAX: usize = 200;

const SHELVES: &str = "
create table product (id integer primary key, name text not null, price_cents integer not null,
    stock integer not null);
create table customer (id integer primary key, name text not null, email text not null,
    card text not null);
create table orders (id integer primary key, owner text not null, product text not null,
    quantity integer not null);
create table comment (id integer primary key, product integer not null, text text not null);
insert into product (name, price_cents, stock) values
    ('Lamp', 3900, 12), ('Kettle', 4900, 7), ('Teapot', 2900, 3), ('Chair', 12900, 2);
insert into customer (name, email, card) values
    ('Ada Quill', 'ada@customers.example', '4111-1111-1111-1111'),
    ('Ben Marsh', 'ben@customers.example', '5500-0000-0000-0004');
insert into orders (owner, product, quantity) values
    ('ada@customers.example', 'Lamp', 1), ('ben@customers.example', 'Chair', 4);
insert into comment (product, text) values (1, 'Bright, and it does not hum.');
";

#[derive(Clone, Debug)]
pub(super) struct Store(SqlitePool);

/// Something for sale.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) price_cents: i64,
}

/// Something bought.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) owner: String,
    pub(super) product: String,
    pub(super) quantity: i64,
}

/// Somebody who bought something.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) card: String,
}

impl Store {
    pub(super) async fn open() -> anyhow::Result<Self> {
        // One connection that never ends: another one would be another, empty database.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await
            .context("the sample shop cannot open its database")?;
        sqlx::raw_sql(SHELVES)
            .execute(&pool)
            .await
            .context("the sample shop cannot fill its shelves")?;
        Ok(Self(pool))
    }

    /// HOLE: SQL injection. The text goes into the statement as it is.
    pub(super) async fn search(&self, text: &str) -> sqlx::Result<Vec<Product>> {
        let sql = format!(
            "select id, name, price_cents from product where name like '%{text}%' order by 2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.0).await?;
        Ok(rows.iter().take(ROWS_MAX).map(product).collect())
    }

    pub(super) async fn comments(&self, product: i64) -> sqlx::Result<Vec<String>> {
        let rows = sqlx::query("select text from comment where product = $1 order by id desc")
            .bind(product)
            .fetch_all(&self.0)
            .await?;
        Ok(rows.iter().take(ROWS_MAX).map(|row| text(row, 0)).collect())
    }

    pub(super) async fn comment(&self, product: i64, text: &str) -> sqlx::Result<()> {
        sqlx::query("insert into comment (product, text) values ($1, $2)")
            .bind(product)
            .bind(text)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// HOLE: insecure direct object reference. Nobody asks whose order it is.
    pub(super) async fn order(&self, id: i64) -> sqlx::Result<Option<Order>> {
        let row = sqlx::query("select id, owner, product, quantity from orders where id = $1")
            .bind(id)
            .fetch_optional(&self.0)
            .await?;
        Ok(row.as_ref().map(order))
    }

    pub(super) async fn orders_of(&self, owner: &str) -> sqlx::Result<Vec<Order>> {
        let rows = sqlx::query(
            "select id, owner, product, quantity from orders where owner = $1 order by id",
        )
        .bind(owner)
        .fetch_all(&self.0)
        .await?;
        Ok(rows.iter().take(ROWS_MAX).map(order).collect())
    }

    pub(super) async fn buy(&self, owner: &str, product: &str, quantity: i64) -> sqlx::Result<i64> {
        let bought =
            sqlx::query("insert into orders (owner, product, quantity) values ($1, $2, $3)")
                .bind(owner)
                .bind(product)
                .bind(quantity)
                .execute(&self.0)
                .await?;
        Ok(bought.last_insert_rowid())
    }

    pub(super) async fn set_stock(&self, product: i64, stock: i64) -> sqlx::Result<bool> {
        let changed = sqlx::query("update product set stock = $2 where id = $1")
            .bind(product)
            .bind(stock)
            .execute(&self.0)
            .await?;
        Ok(changed.rows_affected() == 1)
    }

    pub(super) async fn set_price(&self, product: i64, price_cents: i64) -> sqlx::Result<bool> {
        let changed = sqlx::query("update product set price_cents = $2 where id = $1")
            .bind(product)
            .bind(price_cents)
            .execute(&self.0)
            .await?;
        Ok(changed.rows_affected() == 1)
    }

    pub(super) async fn customers(&self) -> sqlx::Result<Vec<Customer>> {
        let rows = sqlx::query("select name, email, card from customer order by id")
            .fetch_all(&self.0)
            .await?;
        let customer = |row: &SqliteRow| Customer {
            name: text(row, 0),
            email: text(row, 1),
            card: text(row, 2),
        };
        Ok(rows.iter().map(customer).collect())
    }
}

/// Columns are read as what they turn out to be: an injected statement brings its own.
fn product(row: &SqliteRow) -> Product {
    Product {
        id: row.try_get_unchecked(0).unwrap_or_default(),
        name: text(row, 1),
        price_cents: row.try_get_unchecked(2).unwrap_or_default(),
    }
}

fn order(row: &SqliteRow) -> Order {
    Order {
        id: row.try_get(0).unwrap_or_default(),
        owner: text(row, 1),
        product: text(row, 2),
        quantity: row.try_get(3).unwrap_or_default(),
    }
}

fn text(row: &SqliteRow, column: usize) -> String {
    row.try_get_unchecked(column).unwrap_or_default()
}
