"""Real PostgreSQL, Redis and RabbitMQ for the tests: given, found on the machine, or started from the wheels."""
