"""PostgreSQL: connections, transactions, migrations, and the queries, one noun each."""
