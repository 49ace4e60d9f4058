package agent

// The labels that name an owner.
const (
	createdByKind = "created_by_kind"
	createdByName = "created_by_name"
	ownerKind     = "owner_kind"
	ownerName     = "owner_name"
)
