const axios = require("axios");

module.exports = () => axios.get("https://api.hubapi.com/crm/v3/owners?hapikey=" + process.env.HAPIKEY);
