package compile

// The labels that name an owner.
const (
	CreatedByKind = "created_by_kind"
	CreatedByName = "created_by_name"
	OwnerKind     = "owner_kind"
	OwnerName     = "owner_name"
)
