pm.request = { url: { query: { remove: (name) => req.setUrl(req.getUrl().replace(new RegExp(`[?&]${name}=[^&]*`), '')) } } }
