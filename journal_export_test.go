package dualsql

// CloseJournal closes the journal under the connector's feet: from then on it refuses every record, as it does after its
// first failed sync.
func CloseJournal(c *Connector) error {
	co, err := c.coordinator()
	if err != nil {
		return err
	}
	return co.journal.log.Close()
}
