"""SensorsData (神策) clients."""
