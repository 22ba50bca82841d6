-- The example shop's order database (sqlite); filled by database.py.
CREATE TABLE products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, price_usd REAL NOT NULL, units INTEGER NOT NULL,
    restock_on TEXT NOT NULL, warehouse_reachable INTEGER NOT NULL
);
CREATE TABLE customers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, address TEXT NOT NULL,
    points INTEGER NOT NULL
);
CREATE TABLE orders (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers (id),
    sku TEXT NOT NULL REFERENCES products (sku), quantity INTEGER NOT NULL,
    total_usd REAL NOT NULL, status TEXT NOT NULL, payment_method TEXT NOT NULL,
    card_expired INTEGER NOT NULL, placed_on TEXT NOT NULL, estimated_delivery TEXT NOT NULL,
    delivered_on TEXT, carrier TEXT, location TEXT, shipping_address TEXT NOT NULL
);
CREATE TABLE refunds (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id), amount_usd REAL NOT NULL,
    state TEXT NOT NULL, detail TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE address_changes (
    order_id TEXT NOT NULL REFERENCES orders (id), new_address TEXT NOT NULL, state TEXT NOT NULL
);
CREATE TABLE handovers (customer_id TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE policy_articles (title TEXT NOT NULL, text TEXT NOT NULL);
