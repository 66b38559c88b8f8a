"""RabbitMQ as the event bus; needs the extra `rabbitmq`."""
