package cluster

// Vocabulary of the synthetic cluster. The lists are in alphabetical order so
// that names come out nearly sorted, which keeps filling a store cheap.

func systemNamespaces() []string {
	return []string{"default", "ingress-nginx", "kube-node-lease", "kube-public", "kube-system", "monitoring"}
}

func teams() []string {
	return []string{
		"accounts", "analytics", "billing", "catalog", "checkout", "crm", "data-platform", "delivery", "docs", "fraud",
		"growth", "identity", "inventory", "legal", "logistics", "marketing", "media", "messaging", "ml", "mobile",
		"orders", "partners", "payments", "pricing", "profile", "recommendations", "reporting", "returns", "search", "warehouse",
	}
}

func environments() []string { return []string{"dev", "prod", "qa", "staging"} }

func components() []string {
	return []string{
		"admin", "aggregator", "api", "auth", "batch", "bff", "cache", "consumer", "dispatcher", "events", "exporter", "feed",
		"gateway", "graphql", "importer", "indexer", "ingest", "mailer", "notifier", "proxy", "query", "ranker", "reader", "router",
		"scheduler", "search", "session", "stream", "sync", "transform", "ui", "uploader", "validator", "web", "webhook", "worker",
	}
}

func registries() []string {
	return []string{"docker.io/library", "ghcr.io/example", "quay.io/example", "registry.example.com/platform"}
}

func sidecars() []string { return []string{"envoy", "log-shipper", "metrics-proxy", "vault-agent"} }

func environmentVariables() []string {
	return []string{
		"CACHE_URL", "CONFIG_PATH", "DATABASE_HOST", "DATABASE_NAME", "DATABASE_PASSWORD", "DATABASE_PORT", "DATABASE_USER",
		"FEATURE_FLAGS_URL", "GOMAXPROCS", "GOMEMLIMIT", "HTTP_PORT", "JAVA_TOOL_OPTIONS", "KAFKA_BROKERS", "LOG_FORMAT", "LOG_LEVEL",
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_RESOURCE_ATTRIBUTES", "QUEUE_NAME", "REGION", "REQUEST_TIMEOUT", "SENTRY_DSN", "TZ",
	}
}

func zones() []string { return []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"} }
